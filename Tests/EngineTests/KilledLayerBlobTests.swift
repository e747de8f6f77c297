import Engine
import Failure
import Foundation
import ImageStore
import LinuxSystem
import OCI
import Testing
import Transfers

#if DEBUG
    /// A process that is killed while it makes an image's blobs leaves a store that the next one goes on with.
    @Suite("Killed while blobs are made", .enabled(if: Process.isRoot, "needs root"))
    struct KilledLayerBlobTests {
        static func save(_ path: String) throws {
            let engine = try Engine(root: path, runRoot: path + "-run", debug: false)
            let null = try FileDescriptor.open("/dev/null", [.writeOnly])
            try engine.save(["app:1"], to: null.raw)
        }

        @Test(arguments: [
            "compress.synced", "image.import", "store.publish", "store.rename", "compress.published",
            "atomic.rename", "store.index",
        ])
        func killed(_ point: String) async throws {
            let scratch = try ScratchRoot()
            let former = try BuiltImage.usual(scratch.engine).record(["app:1", "app:2"])
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = scratch.path as String, point = point as String] in
                setenv("CTR_FAILPOINT", "\(point):kill", 1)
                try KilledLayerBlobTests.save(path)
            }
            // Each name has the one or the other, and both are whole.
            for name in ["app:1", "app:2"] {
                let found = try scratch.engine.references.resolve(name)
                #expect(found.id == former.id)
                #expect(try scratch.engine.content.bytes(of: found.manifest).isEmpty == false)
                #expect(try found.manifest == former.manifest || scratch.engine.content.isWhole(found))
            }
            try KilledLayerBlobTests.save(scratch.path)
            let records = try ["app:1", "app:2"].map { try scratch.engine.references.resolve($0) }
            #expect(try scratch.engine.content.isWhole(records[0]))
            // Whatever was stored and forgotten goes with the next collection.
            _ = try scratch.engine.pruneImages(all: false)
            try scratch.engine.emptyTrash()
            _ = try scratch.engine.content.sweepIngests()
            #expect(scratch.leftovers == [])
            let manifests = Set(records.map(\.manifest)).count
            #expect(scratch.names("content/blobs/sha256").count == 3 + manifests)
        }
    }
#endif
