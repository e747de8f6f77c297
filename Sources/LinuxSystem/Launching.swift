internal import CLinux
internal import Glibc

/// Calls of a process that launches containers and lives beside them.
package enum Launching {
    /// setns(2); a process that joins a pid namespace puts its later children there, not itself.
    package static func join(_ namespace: Int32, flags: UInt64) throws(SystemError) {
        try call("setns") { ctr_setns(namespace, Int32(truncatingIfNeeded: flags)) }
    }

    /// prlimit(2) of another process; UInt64.max is RLIM_INFINITY.
    package static func setLimit(_ resource: Int32, soft: UInt64, hard: UInt64, of pid: Int32)
        throws(SystemError)
    {
        try call("prlimit") { ctr_prlimit(pid, resource, soft, hard) }
    }

    /// Orphans of this process's children become its own children (PR_SET_CHILD_SUBREAPER).
    package static func becomeSubreaper() throws(SystemError) {
        try call("prctl") { ctr_prctl(36, 1, 0, 0, 0) }
    }

    /// A copy of this process, which must have one thread; 0 in the copy.
    package static func fork() throws(SystemError) -> Int32 { Int32(try call("fork") { ctr_fork() }) }

    /// Later children of this process are in a process namespace that is new: the first is its init, and the kernel ends
    /// the others with it.
    package static func makeProcessNamespace() throws(SystemError) {
        // CLONE_NEWPID
        try call("unshare") { ctr_unshare(0x2000_0000) }
    }

    /// What the caller ignores is ignored here too, and by every program that this one starts, until this is called.
    package static func restoreDefault(of signal: Int32) throws(SystemError) {
        try call("signal") { ctr_default_signal(signal) }
    }

    /// The kernel kills this process when its parent ends. Answers whether the parent was there still.
    package static func endWithParent(_ parent: Int32) -> Bool {
        _ = ctr_prctl(1, 9, 0, 0, 0)
        return getppid() == parent
    }

    /// Closes every descriptor from 3 on but these.
    package static func closeDescriptors(except kept: [Int32]) {
        var first: UInt32 = 3
        for number in kept.filter({ $0 >= 3 }).sorted() {
            if UInt32(number) > first { _ = ctr_close_range(first, UInt32(number) - 1, 0) }
            first = UInt32(number) + 1
        }
        _ = ctr_close_range(first, UInt32.max, 0)
    }

    /// What ps and top show, 15 bytes at most.
    package static func setProcessName(_ name: String) {
        name.withCString { _ = ctr_prctl(15, UInt(bitPattern: Int(bitPattern: $0)), 0, 0, 0) }
    }

    /// Makes a FIFO of this mode whatever the umask is, owned by the container's user.
    package static func makeFIFO(
        _ name: String, in directory: Int32, mode: UInt32, uid: UInt32, gid: UInt32
    )
        throws(SystemError)
    {
        try Directory.makeNode(name, in: directory, mode: 0o010000 | mode)
        try call("chmod", name) { name.withCPath { ctr_fchmodat(directory, $0, mode) } }
        if uid != Process.effectiveUID || gid != ctr_getegid() {
            try Directory.changeOwner(name, in: directory, uid: uid, gid: gid)
        }
    }

    package static func setNonBlocking(_ number: Int32) throws(SystemError) {
        try call("fcntl") { ctr_set_nonblock(number, 1) }
    }

    package static func duplicate(_ number: Int32) throws(SystemError) -> SharedFileDescriptor {
        SharedFileDescriptor(FileDescriptor(owning: Int32(try call("dup") { ctr_dup_cloexec(number, 3) })))
    }

    /// kill(2) of a child that is not waited for yet: no other process can have its number.
    @discardableResult
    package static func kill(_ child: Int32, _ signal: Int32) -> Bool { ctr_kill(child, signal) >= 0 }

    /// A pidfd of a process that is known to be there.
    package static func openProcess(_ pid: Int32) throws(SystemError) -> SharedFileDescriptor {
        SharedFileDescriptor(FileDescriptor(owning: Int32(try call("pidfd_open") { ctr_pidfd_open(pid, 0) })))
    }

    /// Signals the process of a pidfd; one that is gone needs none.
    package static func signal(_ signal: Int32, to pidfd: Int32) { _ = ctr_pidfd_send_signal(pidfd, signal) }

    /// The next connection of a listener and who made it; nil when none waits.
    package static func accept(_ listener: Int32) throws(SystemError) -> (SharedFileDescriptor, uid: UInt32)?
    {
        do throws(SystemError) {
            let socket = FileDescriptor(owning: Int32(try call("accept") { ctr_accept(listener) }))
            let uid = try UnixSocket.peerUID(socket)
            return (SharedFileDescriptor(socket), uid)
        } catch {
            if error.errno == EAGAIN || error.errno == ECONNABORTED { return nil }
            throw error
        }
    }

    /// Reads what is there of a nonblocking descriptor: nil where nothing is (EAGAIN), 0 at the end. A pseudo-terminal
    /// whose last user is gone answers EIO: that is its end.
    package static func readAvailable(_ number: Int32, into buffer: UnsafeMutableRawBufferPointer)
        throws(SystemError) -> Int?
    {
        do throws(SystemError) {
            return try call("read") { ctr_read(number, buffer.baseAddress, buffer.count) }
        } catch {
            if error.errno == EAGAIN { return nil }
            if error.errno == EIO { return 0 }
            throw error
        }
    }

    /// Writes what fits now; nil where nothing does (EAGAIN).
    package static func writeAvailable(_ number: Int32, _ bytes: UnsafeRawBufferPointer)
        throws(SystemError) -> Int?
    {
        do throws(SystemError) {
            return try call("write") { ctr_write(number, bytes.baseAddress, bytes.count) }
        } catch {
            if error.errno == EAGAIN { return nil }
            throw error
        }
    }

    /// As writeAvailable, to a socket; a peer that is gone is an error, never a SIGPIPE.
    package static func sendAvailable(_ socket: Int32, _ bytes: UnsafeRawBufferPointer)
        throws(SystemError) -> Int?
    {
        do throws(SystemError) {
            return try call("send") { ctr_send(socket, bytes.baseAddress, bytes.count) }
        } catch {
            if error.errno == EAGAIN { return nil }
            throw error
        }
    }
}

/// A file's bytes in memory while the value lives, private to this process.
package final class MappedFile {
    package let bytes: UnsafeRawBufferPointer

    package init(_ file: Int32) throws(SystemError) {
        let size = Int(try FileDescriptor.status("", in: file, emptyPath: true).size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0)
        guard let address, address != MAP_FAILED else {
            throw SystemError(call: "mmap", path: nil, errno: errno)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }
}

extension FileDescriptor.Pair {
    /// Both ends, each with an owner of its own.
    package consuming func shared() -> (first: SharedFileDescriptor, second: SharedFileDescriptor) {
        (SharedFileDescriptor(first), SharedFileDescriptor(second))
    }
}
