internal import CLinux
internal import Glibc

/// Readable when the kernel has run out of memory in a cgroup: by inotify on v2's `memory.events`, by an eventfd that
/// v1's `cgroup.event_control` is told of.
package struct OOMWatch: ~Copyable {
    private let descriptor: FileDescriptor
    private let isEventCounter: Bool

    /// - Parameter file: `…/memory.events` or `…/memory.oom_control`.
    package init(_ file: String) throws(SystemError) {
        guard file.hasSuffix("/memory.oom_control") else {
            let queue = FileDescriptor(owning: Int32(try call("inotify_init") { ctr_inotify_init() }))
            let number = queue.raw
            // IN_MODIFY
            try call("inotify_add_watch", file) { ctr_inotify_add(number, file, 0x2) }
            descriptor = queue
            isEventCounter = false
            return
        }
        let counter = FileDescriptor(owning: Int32(try call("eventfd") { ctr_eventfd(0) }))
        let control = file.dropLast("memory.oom_control".count) + "cgroup.event_control"
        let watched = try FileDescriptor.open(file, [.readOnly])
        try FileDescriptor.open(String(control), [.writeOnly]).write("\(counter.raw) \(watched.raw)")
        descriptor = counter
        isEventCounter = true
    }

    package var raw: Int32 { descriptor.raw }

    package borrowing func drain() {
        withUnsafeTemporaryAllocation(byteCount: isEventCounter ? 8 : 4096, alignment: 8) { buffer in
            _ = try? descriptor.read(into: buffer)
        }
    }
}
