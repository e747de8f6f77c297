internal import OverlayFS
package import LinuxSystem

/// A name inside a layer by its components, below the layer's root whatever the tar wrote.
package struct LayerPath: Hashable, Sendable {
    package var components: [[UInt8]]

    package init(components: [[UInt8]]) { self.components = components }

    /// Leading `/` and `./` go; `..` is taken lexically; nil where it leaves the root.
    package init?(cleaning path: RawPath) {
        components = []
        for part in path.bytes.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                if components.popLast() == nil { return nil }
            } else {
                components.append(Array(part))
            }
        }
    }

    /// `.` for the root.
    package var raw: RawPath {
        isRoot ? RawPath(".") : RawPath(Array(components.joined(separator: [UInt8(ascii: "/")])))
    }
    package var isRoot: Bool { components.isEmpty }
    package var shown: String { raw.shown }
    /// The last component; `.` for the root.
    package var name: RawPath { components.last.map { RawPath($0) } ?? RawPath(".") }
    package var parent: LayerPath { LayerPath(components: Array(components.dropLast())) }

    package func appending(_ name: RawPath) -> LayerPath {
        LayerPath(components: components + [name.bytes])
    }
}

/// OCI image-spec layer.md, "Whiteouts": what a name's last component says.
enum Whiteout: Equatable {
    /// An ordinary name.
    case none
    /// `.wh.<name>`: the lower layers' `name` is gone.
    case name(RawPath)
    /// `.wh..wh..opq`: everything the lower layers have in this directory is gone.
    case opaque
    /// Other `.wh..wh.` names: aufs' own book-keeping, which unpackers leave out.
    case ignored
    /// `.wh.` alone, or of `.` or `..`.
    case invalid

    static let prefix = Array(".wh.".utf8)

    init(of name: [UInt8]) {
        guard name.starts(with: Whiteout.prefix) else {
            self = .none
            return
        }
        let rest = Array(name.dropFirst(Whiteout.prefix.count))
        if rest.starts(with: Whiteout.prefix) {
            self = rest.elementsEqual(".wh..opq".utf8) ? .opaque : .ignored
        } else if rest.isEmpty || rest.elementsEqual(".".utf8) || rest.elementsEqual("..".utf8) {
            self = .invalid
        } else {
            self = .name(RawPath(rest))
        }
    }
}

extension FileStatus {
    /// overlayfs' mark of a deleted name: a character device 0:0.
    package var isWhiteout: Bool { kind == .characterDevice && deviceMajor == 0 && deviceMinor == 0 }
}

/// overlayfs' mark of a directory that hides its lower namesakes.
let opaqueAttribute = UserNamespace.isNested ? "user.overlay.opaque" : "trusted.overlay.opaque"

/// Overlay's own attributes: never taken from a tar, never written to one.
func isOverlayMark(_ attribute: String) -> Bool {
    attribute.hasPrefix("trusted.overlay.") || attribute.hasPrefix("user.overlay.")
}

/// What says something on this host alone, and is in no layer: SELinux's label can be set but not removed.
func isOfTheHost(_ attribute: String) -> Bool {
    isOverlayMark(attribute) || attribute == "security.selinux"
}

/// Below the root, through directories alone.
let plain: FileDescriptor.Resolve = [.beneath, .noSymlinks, .noMagicLinks]
