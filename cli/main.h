/* SPDX-License-Identifier: MIT */
/*
 * main.h - the subcommands. Each takes its own name as argv[0] and gives the exit code.
 */
#ifndef CLI_MAIN_H
#define CLI_MAIN_H

int run_main(int argc, char **argv);
int segment_main(int argc, char **argv);
int coalesce_main(int argc, char **argv);
int steer_main(int argc, char **argv);
int get_main(int argc, char **argv);
int set_main(int argc, char **argv);
int show_main(int argc, char **argv);
int bench_main(int argc, char **argv);
int verify_main(int argc, char **argv);

#endif
