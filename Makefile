# The front door. Everything real is in meson.build; what it needs is in tools/setup.

PREFIX ?= /usr/local

all: build/build.ninja
	@ninja -C build leat lib/libleat.a bench/copyloop bench/udpload

build/build.ninja:
	@tools/setup build
	@meson setup build -Dwerror=true

setup:
	@tools/setup build test demo

demo: all
	@tools/setup demo
	@tools/demo

test:
	@tools/setup build test
	@tests/run

test-vm:
	@tools/setup build test vm
	@tools/vm/run

fuzz:
	@tools/setup fuzz
	@tools/fuzz

soak: all
	@tools/setup test
	@tests/run soak

bench:
	@tools/setup build demo bench
	@meson setup $(if $(wildcard build/build.ninja),--reconfigure) build -Dwerror=true >/dev/null
	@ninja -C build bench
	@build/leat bench
	@bench/run --all -n 3 -t 2 || [ $$? -eq 77 ]
	@bench/profile || [ $$? -eq 77 ]

install: all
	@meson configure build -Dprefix=$(abspath $(PREFIX))
	@DESTDIR=$(DESTDIR) meson install -C build

check-style: build/build.ninja
	@tools/setup test
	@tools/style check

format:
	@tools/setup test
	@tools/style format

clean:
	@rm -rf build build-asan build-tsan build-fuzz

.PHONY: all setup demo test test-vm fuzz soak bench install check-style format clean
