// A program that tells what it may do where it runs. For tests only: it is built by them, is linked statically, so that it
// runs in an image without a libc, and is part of no package.
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/// A line of the report. All are sorted in the end and each is written once. One that begins with `~` is of a thing that
/// not every kernel or machine has: it may be missing from a report that is compared, and nothing else may be there.
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// The value of a line `NAME:\tVALUE` of a file; empty if it has none.
const char *field(const char *file, const char *name);
/// A short file's text without its last newline; NULL if it cannot be read.
const char *text_of(const char *file);
const char *error_name(int error);

/// What the caller of the runtime has, as `probe context` wrote it: `NAME=VALUE` words. NULL if it is not there.
const char *context(const char *name);

/// Whether this process is in its caller's namespace of a kind.
bool is_callers(const char *kind);

void report_calls(void);
void report_files(void);
void report_process(void);
/// `NAME=VALUE` words of what a report compares with.
void write_context(void);
