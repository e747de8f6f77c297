package import OCI

extension SeccompProfile {
    /// docker's default profile, by the rules of moby's `seccomp/default.json` as of 2026: what is not named here
    /// answers EPERM. Left out on purpose are io_uring, keyrings, userfaultfd, kexec, and all that changes mounts,
    /// modules, clocks or other processes' memory unless the container was given the capability for it.
    package static let docker: SeccompProfile = {
        var profile = SeccompProfile(defaultAction: .errno)
        profile.defaultErrnoRet = 1
        profile.archMap = [
            Architecture(
                architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]),
            Architecture(architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"]),
        ]
        let always = DockerSystemCalls.always.flatMap {
            $0.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        profile.syscalls =
            [
                Rule(names: always.sorted(), action: .allow),
                // Before 4.8 ptrace could leave the filter.
                allow("process_vm_readv process_vm_writev ptrace", if: Condition(minKernel: "4.8")),
            ]
            + sockets + personalities + architectures + capabilities + clones
        return profile
    }()

    private static func allow(_ names: String, if includes: Condition? = nil) -> Rule {
        Rule(names: names.split(separator: " ").map(String.init), action: .allow, includes: includes)
    }

    private static func allow(_ name: String, first value: UInt64, _ op: RuntimeSpec.Seccomp.Comparison)
        -> Rule
    {
        Rule(
            names: [name], action: .allow,
            args: [RuntimeSpec.Seccomp.Argument(index: 0, value: value, op: op)])
    }

    /// The families in use but AF_ALG (38: the kernel's crypto wrote into page caches of others, CVE-2026-31431) and
    /// AF_VSOCK (40: it reaches the hypervisor). Each by its number: a filter sees 64 bits and the kernel takes 32, so
    /// "above 40" would let 2^32 + 38 pass.
    private static let sockets =
        [allow("socket", first: 12, .less)]
        + ([
            13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44,
            45,
        ]
        as [UInt64]).map { allow("socket", first: $0, .equal) }

    /// PER_LINUX and PER_LINUX32, each with UNAME26, and asking what it is.
    private static let personalities =
        ([0, 8, 0x20000, 0x20008, 0xffff_ffff] as [UInt64]).map { allow("personality", first: $0, .equal) }

    private static let architectures = [
        allow(
            "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
            if: Condition(arches: ["arm", "arm64"])),
        allow("arch_prctl", if: Condition(arches: ["amd64", "x32"])),
        allow("modify_ldt", if: Condition(arches: ["amd64", "x32", "x86"])),
    ]

    private static let capabilities: [Rule] = [
        ("DAC_READ_SEARCH", "open_by_handle_at"),
        (
            "SYS_ADMIN",
            """
            bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr \
            lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl \
            quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare
            """
        ),
        ("SYS_BOOT", "reboot"),
        ("SYS_CHROOT", "chroot"),
        ("SYS_MODULE", "delete_module finit_module init_module"),
        ("SYS_PACCT", "acct"),
        ("SYS_PTRACE", "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"),
        ("SYS_RAWIO", "ioperm iopl"),
        ("SYS_TIME", "clock_settime clock_settime64 settimeofday stime"),
        ("SYS_TTY_CONFIG", "vhangup"),
        ("SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
        ("SYSLOG", "syslog"),
        ("BPF", "bpf"),
        ("PERFMON", "perf_event_open"),
    ].map { allow($0.1, if: Condition(caps: ["CAP_" + $0.0])) }

    /// Without CAP_SYS_ADMIN no new namespaces: of clone's flags none of CLONE_NEW*; clone3's are behind a pointer
    /// that a filter cannot follow, so it is said not to exist, and libc falls back to clone.
    private static let clones = [
        Rule(
            names: ["clone"], action: .allow,
            args: [RuntimeSpec.Seccomp.Argument(index: 0, value: 0x7e02_0000, valueTwo: 0, op: .maskedEqual)],
            excludes: Condition(caps: ["CAP_SYS_ADMIN"])),
        Rule(
            names: ["clone3"], action: .errno, errnoRet: 38, excludes: Condition(caps: ["CAP_SYS_ADMIN"])),
    ]
}

/// System calls that every container may make, by what they are about.
private enum DockerSystemCalls {
    static let always = [
        files, descriptors, attributes, polling, memory, processes, identity, signals, time, ipc, network,
    ]

    static let files = """
        access cachestat chdir chmod chown chown32 creat faccessat faccessat2 fadvise64 fadvise64_64 fallocate
        fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fstat fstat64 fstatat64 fstatfs
        fstatfs64 ftruncate ftruncate64 futimesat getcwd getdents getdents64 inotify_add_watch inotify_init
        inotify_init1 inotify_rm_watch landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32
        link linkat listmount lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2
        readlink readlinkat rename renameat renameat2 rmdir stat stat64 statfs statfs64 statmount statx symlink
        symlinkat truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes
        """

    static let descriptors = """
        _llseek close close_range copy_file_range dup dup2 dup3 fcntl fcntl64 fdatasync flock fsync io_cancel
        io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl lseek memfd_create
        memfd_secret pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readv sendfile
        sendfile64 splice sync sync_file_range syncfs tee vmsplice write writev
        """

    static let attributes = """
        fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr
        lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat
        """

    static let polling = """
        _newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
        epoll_wait_old eventfd eventfd2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4
        timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
        """

    static let memory = """
        brk madvise map_shadow_stack membarrier mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync
        munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages
        """

    static let processes = """
        execve execveat exit exit_group fork futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake
        get_robust_list get_thread_area getcpu getpgid getpgrp getpid getppid getpriority getrandom getrlimit getrusage
        getsid gettid ioprio_get ioprio_set pidfd_open prctl prlimit64 restart_syscall riscv_hwprobe rseq
        sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
        sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam
        sched_setscheduler sched_yield seccomp set_robust_list set_thread_area set_tid_address setpgid setpriority
        setrlimit setsid sysinfo times ugetrlimit uname uretprobe vfork wait4 waitid waitpid
        """

    static let identity = """
        capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32
        getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
        setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32
        """

    static let signals = """
        alarm kill pause pidfd_send_signal rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
        rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn tgkill
        tkill
        """

    static let time = """
        adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
        clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create
        timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
        """

    static let ipc = """
        ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
        mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt
        shmget
        """

    static let network = """
        accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64
        recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair
        """
}
