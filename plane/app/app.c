/* SPDX-License-Identifier: MIT */
#include "app.h"

const struct app_ops *const app_kinds[] = {&app_forward, &app_sink, &app_echo, NULL};
