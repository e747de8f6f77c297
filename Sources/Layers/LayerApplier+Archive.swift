package import Archive
package import Failure
internal import LinuxSystem
internal import OverlayFS

extension LayerApplier {
    /// Unpacks an archive of a user's into any directory, which is `/` for all that it says. Owners are the archive's
    /// unless given; `.wh.` names are files.
    package static func unpackArchive(
        _ reader: TarReader, into root: Int32, uid: UInt32? = nil, gid: UInt32? = nil
    ) throws(Failure) {
        let applier = LayerApplier(root: root, form: .archive)
        while var entry = try reader.next() {
            entry.uid = uid ?? entry.uid
            entry.gid = gid ?? entry.gid
            try applier.add(entry, data: reader)
        }
        if let link = try applier.finish().pendingLinks.first {
            throw Failure(
                .invalidArgument,
                "entry \"\(link.path.shown)\" is refused: a hard link to \"\(link.target.shown)\", which is not there"
            )
        }
        // A compressed stream that is cut says so only at its end.
        try reader.drain()
    }
}
