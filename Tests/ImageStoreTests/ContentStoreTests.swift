import Archive
import Failure
import ImageStore
import LinuxSystem
import OCI
import Synchronization
import Testing

@Suite struct ContentStoreTests {
    let store: TemporaryStore
    var content: ContentStore { store.content }

    init() throws { store = try TemporaryStore() }

    @Test func aBlobIsThereUnderItsDigestOnceCommitted() throws {
        let bytes = noise(3_000_000)
        let descriptor = try describe(bytes)
        let ingest = try content.ingest(descriptor)
        try ingest.append(Array(bytes[..<1_000_000]))
        #expect(try !content.has(descriptor))
        try ingest.append(Array(bytes[1_000_000...]))
        try ingest.commit()
        #expect(try content.has(descriptor))
        #expect(try content.bytes(of: descriptor) == bytes)
        let status = try FileDescriptor.status("\(store.path)/content/blobs/sha256/\(descriptor.digest.hex)")
        #expect(status.permissions == 0o444)
        #expect(try store.names("content/ingest").isEmpty)
    }

    @Test func sha512IsHeldInItsOwnDirectory() throws {
        let bytes = noise(1000)
        let digest = try ContentHash.digest(of: bytes, .sha512)
        let descriptor = Descriptor(mediaType: MediaType.layer, digest: digest, size: 1000)
        let ingest = try content.ingest(descriptor)
        try ingest.append(bytes)
        try ingest.commit()
        #expect(try store.exists("content/blobs/sha512/\(digest.hex)"))
        #expect(try content.bytes(of: descriptor) == bytes)
        #expect(try content.blobs().map(\.digest) == [digest])
    }

    @Test func theSameBlobTwiceIsNoError() throws {
        let bytes = noise(5000)
        let descriptor = try describe(bytes)
        for _ in 0..<2 {
            let ingest = try content.ingest(descriptor)
            try ingest.append(bytes)
            try ingest.commit()
        }
        #expect(try content.put(bytes, mediaType: descriptor.mediaType) == descriptor)
        #expect(try content.blobs().count == 1)
    }

    @Test func anEmptyBlobCanBeStored() throws {
        let descriptor = try describe([])
        try content.ingest(descriptor).commit()
        #expect(try content.bytes(of: descriptor) == [])
    }

    @Test func wrongBytesNameBothDigestsAndAreForgotten() throws {
        let wanted = try describe(noise(100, seed: 1))
        let other = try describe(noise(100, seed: 2))
        let ingest = try content.ingest(wanted)
        try ingest.append(noise(100, seed: 2))
        let failed = try #require(failure { try ingest.commit() })
        #expect(failed.code == .dataLoss)
        #expect(failed.message.contains("\(wanted.digest)") && failed.message.contains("\(other.digest)"))
        #expect(try !content.has(wanted) && !content.has(other))
        #expect(ingest.offset == 0)
        try ingest.append(noise(100, seed: 1))
        try ingest.commit()
        #expect(try content.has(wanted))
    }

    @Test func moreBytesThanDescribedAreRefusedAtOnce() throws {
        let bytes = noise(100)
        var descriptor = try describe(bytes)
        descriptor.size = 99
        let ingest = try content.ingest(descriptor)
        let failed = try #require(failure { try ingest.append(bytes) })
        #expect(failed.code == .dataLoss)
        #expect(failed.message.contains("99 bytes"))
        #expect(ingest.offset == 0)
    }

    @Test func aShortBlobIsRefusedAndCanGoOn() throws {
        let bytes = noise(100)
        let ingest = try content.ingest(try describe(bytes))
        try ingest.append(Array(bytes[..<60]))
        let failed = try #require(failure { try ingest.commit() })
        #expect(failed.code == .dataLoss)
        #expect(failed.message.contains("60 of 100"))
        try ingest.append(Array(bytes[60...]))
        try ingest.commit()
    }

    @Test func aNegativeSizeIsRefused() throws {
        var descriptor = try describe([1])
        descriptor.size = -1
        #expect(failure { _ = try content.ingest(descriptor) }?.code == .invalidArgument)
    }

    @Test func theNextWriterGoesOnWhereAnotherStopped() throws {
        let bytes = noise(3_000_000)
        let descriptor = try describe(bytes)
        do {
            let first = try content.ingest(descriptor)
            try first.append(Array(bytes[..<2_500_000]))
        }
        let second = try content.ingest(descriptor)
        #expect(second.offset == 2_500_000)
        var replayed: [UInt8] = []
        try second.replay { replayed += $0 }
        #expect(replayed == Array(bytes[..<2_500_000]))
        try second.append(Array(bytes[2_500_000...]))
        try second.commit()
        #expect(try content.bytes(of: descriptor) == bytes)
    }

    @Test func aResumedWriterHashesWhatItDidNotReplay() throws {
        let bytes = noise(10_000)
        let descriptor = try describe(bytes)
        do { try content.ingest(descriptor).append(Array(bytes[..<9_000])) }
        let second = try content.ingest(descriptor)
        try second.append(Array(bytes[9_000...]))
        try second.commit()
        #expect(try content.has(descriptor))
    }

    @Test func bytesOfAnEarlierBootAreNotTrusted() throws {
        let descriptor = try describe(noise(100))
        do { try content.ingest(descriptor).append(noise(50)) }
        let place = try #require(try store.names("content/ingest").first)
        try store.write(Array("another boot".utf8), to: "content/ingest/\(place)/lock")
        #expect(try content.ingest(descriptor).offset == 0)
    }

    @Test func restartForgetsWhatIsThere() throws {
        let bytes = noise(100)
        let descriptor = try describe(bytes)
        do { try content.ingest(descriptor).append(noise(50, seed: 9)) }
        let ingest = try content.ingest(descriptor)
        try ingest.restart()
        #expect(ingest.offset == 0)
        try ingest.append(bytes)
        try ingest.commit()
    }

    @Test func twoWritersOfOneBlobDoNotMeet() throws {
        let bytes = noise(1000)
        let descriptor = try describe(bytes)
        let first = try content.ingest(descriptor)
        let second = try content.ingest(descriptor)
        try first.append(Array(bytes[..<10]))
        #expect(second.offset == 0)
        try second.append(bytes)
        try second.commit()
        try first.append(Array(bytes[10...]))
        try first.commit()
        #expect(try content.bytes(of: descriptor) == bytes)
        #expect(try store.names("content/ingest").isEmpty)
    }

    @Test func manyWritersAtOnce() throws {
        let bytes = noise(200_000)
        let descriptor = try describe(bytes)
        let content = content
        try inThreads(8) { i in
            for round in 0..<10 {
                if (i + round) % 4 == 0 { try content.remove(descriptor.digest) }
                let ingest = try content.ingest(descriptor)
                try ingest.restart()
                for start in stride(from: 0, to: bytes.count, by: 50_000) {
                    try ingest.append(Array(bytes[start..<start + 50_000]))
                }
                try ingest.commit()
            }
        }
        #expect(try content.bytes(of: descriptor) == bytes)
        #expect(try store.names("content/ingest").isEmpty)
    }

    @Test func deferredBlobsAppearTogether() throws {
        let a = noise(100, seed: 1)
        let b = noise(100, seed: 2)
        let ingests = [
            try content.stage(a, as: try describe(a)), try content.stage(b, as: try describe(b)),
        ]
        #expect(try content.blobs().isEmpty)
        try content.publish(ingests)
        #expect(try content.blobs().count == 2)
        #expect(try store.names("content/ingest").isEmpty)
    }

    @Test func aBlobOfTheWrongSizeCountsAsAbsentAndIsReplaced() throws {
        let bytes = noise(100)
        let descriptor = try content.put(bytes, mediaType: MediaType.layer)
        let name = "content/blobs/sha256/\(descriptor.digest.hex)"
        try Directory.removeFile("\(store.path)/\(name)")
        try store.write(Array(bytes[..<40]), to: name)
        #expect(try !content.has(descriptor))
        #expect(failure { _ = try content.bytes(of: descriptor) }?.code == .dataLoss)
        _ = try content.put(bytes, mediaType: MediaType.layer)
        #expect(try content.bytes(of: descriptor) == bytes)
    }

    @Test func damagedBytesAreNotGivenOut() throws {
        let descriptor = try content.put(noise(100), mediaType: MediaType.manifest)
        let name = "content/blobs/sha256/\(descriptor.digest.hex)"
        try Directory.removeFile("\(store.path)/\(name)")
        try store.write(noise(100, seed: 7), to: name)
        let failed = try #require(failure { _ = try content.bytes(of: descriptor) })
        #expect(failed.code == .dataLoss)
        #expect(failed.hint != nil)
    }

    @Test func aMissingBlobIsNotFound() throws {
        let descriptor = try describe(noise(10))
        #expect(try !content.has(descriptor))
        #expect(failure { _ = try content.bytes(of: descriptor) }?.code == .notFound)
        try content.remove(descriptor.digest)
    }

    @Test func aLargeDocumentIsRefused() throws {
        let descriptor = try content.put(noise(5000), mediaType: MediaType.manifest)
        #expect(failure { _ = try content.bytes(of: descriptor, limit: 4999) }?.code == .resourceExhausted)
    }

    @Test func removalIsARenameIntoTheTrash() throws {
        let descriptor = try content.put(noise(10), mediaType: MediaType.layer)
        let open = try content.open(descriptor.digest)
        try content.remove(descriptor.digest)
        #expect(try !content.has(descriptor))
        #expect(try store.names("trash").count == 1)
        #expect(try open.readAll(limit: 100) == noise(10))
        try store.collection.emptyTrash()
        #expect(try store.names("trash").isEmpty)
    }

    @Test func abandonedIngestsAreSweptWhenOldAndFree() throws {
        let live = try content.ingest(try describe(noise(100, seed: 1)))
        try live.append(noise(50, seed: 1))
        do { try content.ingest(try describe(noise(100, seed: 2))).append(noise(50, seed: 2)) }
        #expect(try content.sweepIngests(olderThan: 3600) == 0)
        #expect(try store.names("content/ingest").count == 2)
        #expect(try content.sweepIngests(olderThan: 0) == 50)
        #expect(try store.names("content/ingest").count == 1)
        try live.append(Array(noise(100, seed: 1)[50...]))
        try live.commit()
    }

    @Test func aDiscardedIngestLeavesNothing() throws {
        let ingest = try content.ingest(try describe(noise(100)))
        try ingest.append(noise(50))
        ingest.discard()
        #expect(try store.names("content/ingest").isEmpty)
        #expect(failure { try ingest.append([1]) }?.code == .internal)
    }

    @Test func theLayoutIsThereFromTheFirstBlobOn() throws {
        _ = try content.put(noise(10), mediaType: MediaType.layer)
        #expect(try store.text("content/oci-layout") == #"{"imageLayoutVersion":"1.0.0"}"#)
        let index = try ImageIndex(bytes: Array(try store.text("content/index.json").utf8), mediaType: nil)
        #expect(index.manifests.isEmpty)
    }
}
