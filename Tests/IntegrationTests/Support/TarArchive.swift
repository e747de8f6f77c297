import Foundation

/// Writes ustar with pax records, also what no honest program would write: names with `..`, a link and a file of one name,
/// sizes that lie.
struct TarArchive {
    enum Kind: Character {
        case file = "0"
        case hardLink = "1"
        case symbolicLink = "2"
        case characterDevice = "3"
        case blockDevice = "4"
        case directory = "5"
        case fifo = "6"
    }

    private(set) var bytes: [UInt8] = []

    mutating func add(
        _ name: String, _ kind: Kind = .file, mode: Int = 0o644, uid: Int = 0, gid: Int = 0,
        content: [UInt8] = [],
        link: String = "", device: (major: Int, minor: Int) = (0, 0), time: Int = 1_700_000_000,
        pax: [(key: String, value: [UInt8])] = [], declaredSize: Int? = nil
    ) {
        var records = pax
        if name.utf8.count > 100 { records.append(("path", Array(name.utf8))) }
        if link.utf8.count > 100 { records.append(("linkpath", Array(link.utf8))) }
        if !records.isEmpty {
            let body = records.flatMap { Self.record($0.key, $0.value) }
            header(
                "pax", "x", mode: 0o644, uid: 0, gid: 0, size: body.count, link: "", device: (0, 0),
                time: time)
            append(body)
        }
        header(
            name, kind.rawValue, mode: mode, uid: uid, gid: gid, size: declaredSize ?? content.count,
            link: link,
            device: device, time: time)
        append(content)
    }

    mutating func file(_ name: String, _ text: String, mode: Int = 0o644, uid: Int = 0, gid: Int = 0) {
        add(name, mode: mode, uid: uid, gid: gid, content: Array(text.utf8))
    }

    mutating func directory(_ name: String, mode: Int = 0o755, uid: Int = 0, gid: Int = 0) {
        add(name + "/", .directory, mode: mode, uid: uid, gid: gid)
    }

    mutating func symbolicLink(_ name: String, to target: String) {
        add(name, .symbolicLink, mode: 0o777, link: target)
    }
    mutating func hardLink(_ name: String, to target: String) { add(name, .hardLink, link: target) }

    /// The archive with its two blocks of zeros.
    var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    private mutating func append(_ content: [UInt8]) {
        bytes += content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    private mutating func header(
        _ name: String, _ type: Character, mode: Int, uid: Int, gid: Int, size: Int, link: String,
        device: (major: Int, minor: Int), time: Int
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: [UInt8], at offset: Int, _ width: Int) {
            for (index, byte) in text.prefix(width).enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int, at offset: Int, _ width: Int) {
            let digits = String(value, radix: 8)
            put(
                Array((String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits).utf8),
                at: offset, width)
        }
        put(Array(name.utf8), at: 0, 100)
        octal(mode, at: 100, 8)
        octal(uid, at: 108, 8)
        octal(gid, at: 116, 8)
        octal(size, at: 124, 12)
        octal(time, at: 136, 12)
        put(Array("        ".utf8), at: 148, 8)
        block[156] = type.asciiValue ?? 48
        put(Array(link.utf8), at: 157, 100)
        put(Array("ustar".utf8) + [0] + Array("00".utf8), at: 257, 8)
        octal(device.major, at: 329, 8)
        octal(device.minor, at: 337, 8)
        octal(block.reduce(0) { $0 + Int($1) }, at: 148, 7)
        bytes += block
    }

    /// `LENGTH KEY=VALUE\n`, the length counting itself.
    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [10]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length { length += 1 }
        return Array(String(length).utf8) + rest
    }
}

/// The smallest file system in which a shell is at home.
enum Busybox {
    static let tar: [UInt8] = archive.finished

    static var archive: TarArchive {
        var tar = TarArchive()
        for name in ["bin", "dev", "etc", "proc", "root", "sys", "usr", "usr/bin", "var", "var/lib"] {
            tar.directory(name)
        }
        tar.directory("tmp", mode: 0o1777)
        tar.directory("home")
        tar.directory("home/app", uid: 1000, gid: 1000)
        tar.file(
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\napp:x:1000:1000::/home/app:/bin/sh\n")
        tar.file("etc/group", "root:x:0:\ndaemon:x:1:\napp:x:1000:\nextra:x:2000:app\nmore:x:2001:app\n")
        guard let path = Tool.busybox.path, let program = FileManager.default.contents(atPath: path) else {
            return tar
        }
        tar.add("bin/busybox", mode: 0o755, content: Array(program))
        for applet in applets { tar.symbolicLink("bin/\(applet)", to: "busybox") }
        return tar
    }

    static let applets =
        """
        [ ash awk base64 cat chgrp chmod chown cp cut date dd df dirname dmesg du echo env expr false find free \
        fsync getopt grep head hexdump hostname httpd id install ip kill killall ln ls md5sum mkdir mkfifo mknod mktemp more \
        mount mv nc nice nproc od pgrep pidof ping pkill printf ps pwd readlink realpath rm rmdir sed seq setsid sh sha256sum \
        sleep sort stat stty sync sysctl tail tar tee test timeout top touch tr true truncate tty ulimit umount uname uniq \
        unlink unshare usleep vi wc wget which whoami xargs yes zcat
        """.split(separator: " ")
}
