// What a call of libc answered, as all functions of this target tell it.
#pragma once
#include <errno.h>

#define ANSWER(call) ({ long r_ = (long)(call); r_ < 0 ? -(long)errno : r_; })
