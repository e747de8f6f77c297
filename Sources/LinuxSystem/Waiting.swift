internal import CLinux
internal import Glibc

/// epoll(7) with a number of the caller's choice a descriptor.
package struct EventQueue: ~Copyable {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        /// As of `FileDescriptor.Resolve`.
        package init(arrayLiteral elements: Interest...) {
            var value: UInt32 = 0
            for element in elements { value |= element.rawValue }
            rawValue = value
        }
        package static let read = Interest(rawValue: UInt32(CTR_EPOLLIN))
        package static let write = Interest(rawValue: UInt32(CTR_EPOLLOUT))
        package static let hangUp = Interest(rawValue: UInt32(CTR_EPOLLHUP))
        package static let error = Interest(rawValue: UInt32(CTR_EPOLLERR))
    }

    package struct Event: Sendable {
        package let token: UInt64
        package let ready: Interest
    }

    private let descriptor: FileDescriptor

    package init() throws(SystemError) {
        descriptor = FileDescriptor(owning: Int32(try call("epoll_create") { ctr_epoll_create() }))
    }

    /// For a queue in a queue: readable when an event waits.
    package var raw: Int32 { descriptor.raw }

    package borrowing func add(_ number: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        let queue = descriptor.raw
        try call("epoll_ctl") { ctr_epoll_ctl(queue, 1, number, interest.rawValue, token) }
    }

    package borrowing func change(_ number: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        let queue = descriptor.raw
        try call("epoll_ctl") { ctr_epoll_ctl(queue, 3, number, interest.rawValue, token) }
    }

    package borrowing func remove(_ number: Int32) throws(SystemError) {
        let queue = descriptor.raw
        try call("epoll_ctl") { ctr_epoll_ctl(queue, 2, number, 0, 0) }
    }

    /// Waits for events; none when the time is over.
    package borrowing func wait(milliseconds: Int32 = -1) throws(SystemError) -> [Event] {
        let queue = descriptor.raw
        var events = [ctr_epoll_event](repeating: ctr_epoll_event(), count: 32)
        let n = try call("epoll_wait") { ctr_epoll_wait(queue, &events, 32, milliseconds) }
        return events[..<n].map { Event(token: $0.data, ready: Interest(rawValue: $0.events)) }
    }
}

extension FileDescriptor {
    /// Signals as reads (signalfd(2)); they are blocked in this thread from now on.
    package static func signals(_ signals: [Int32]) throws(SystemError) -> FileDescriptor {
        var mask: UInt64 = 0
        for signal in signals { mask |= 1 << UInt64(signal - 1) }
        return FileDescriptor(owning: Int32(try call("signalfd") { ctr_signalfd(mask) }))
    }

    /// The next signal that a signalfd holds; nil when there is none.
    package borrowing func nextSignal() throws(SystemError) -> Int32? {
        var info = [UInt8](repeating: 0, count: 128)
        let number = raw
        do throws(SystemError) {
            try call("read") { ctr_read(number, &info, 128) }
        } catch {
            if error.errno == EAGAIN { return nil }
            throw error
        }
        return info.withUnsafeBytes { Int32(truncatingIfNeeded: $0.load(as: UInt32.self)) }
    }

    /// timerfd(2) on the monotonic clock; 0 is disarmed.
    package static func timer(nanoseconds: Int64 = 0) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: Int32(try call("timerfd") { ctr_timerfd(nanoseconds, 0) }))
    }

    package borrowing func setTimer(nanoseconds: Int64) throws(SystemError) {
        let number = raw
        try call("timerfd") { ctr_timerfd_set(number, nanoseconds, 0) }
    }

    /// Waits until the descriptor can be read (POLLIN) or written (POLLOUT), or has hung up; false when time is over.
    package static func wait(for number: Int32, write: Bool = false, milliseconds: Int32 = -1)
        throws(SystemError) -> Bool
    {
        var entry = ctr_pollfd(fd: number, events: Int16(write ? POLLOUT : POLLIN), revents: 0)
        return try call("poll") { ctr_poll(&entry, 1, milliseconds) } > 0
    }
}

/// Readable when something in a directory is written, made or removed (inotify(7)).
package struct DirectoryWatch: ~Copyable {
    private let descriptor: FileDescriptor

    package init(_ path: String) throws(SystemError) {
        let queue = FileDescriptor(owning: Int32(try call("inotify_init") { ctr_inotify_init() }))
        let number = queue.raw
        // IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO
        try call("inotify_add_watch", path) { ctr_inotify_add(number, path, 0x2 | 0x100 | 0x200 | 0x80) }
        descriptor = queue
    }

    package var raw: Int32 { descriptor.raw }

    package borrowing func drain() throws(SystemError) {
        let number = descriptor.raw
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            do throws(SystemError) {
                let n = try call("read") { ctr_read(number, &buffer, buffer.count) }
                if n == 0 { return }
            } catch {
                if error.errno == EAGAIN { return }
                throw error
            }
        }
    }
}
