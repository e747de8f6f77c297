import OCI
import Testing

@Suite struct MediaTypeTests {
    @Test(arguments: [
        (MediaType.layer, MediaType.Compression.none), (MediaType.layerGzip, .gzip),
        (MediaType.layerZstd, .zstd),
        (MediaType.layerNondistributable, .none), (MediaType.layerNondistributable + "+gzip", .gzip),
        (MediaType.layerNondistributable + "+zstd", .zstd), (MediaType.dockerLayer, .none),
        (MediaType.dockerLayerGzip, .gzip), (MediaType.dockerLayerZstd, .zstd),
        (MediaType.dockerForeignLayer, .none), (MediaType.dockerForeignLayerGzip, .gzip),
    ])
    func layers(type: String, compression: MediaType.Compression) {
        #expect(MediaType.compression(ofLayer: type) == compression)
        #expect(
            MediaType.isForeignLayer(type) == (type.contains("nondistributable") || type.contains("foreign")))
    }

    @Test(arguments: [
        "", "application/json", MediaType.config, MediaType.manifest, MediaType.layer + "+br",
        MediaType.layer + ".gzip", MediaType.dockerLayer + "+gzip", MediaType.layerGzip + "x",
        MediaType.layerGzip + "+encrypted",
    ])
    func notLayers(type: String) {
        #expect(MediaType.compression(ofLayer: type) == nil)
        #expect(!MediaType.isLayer(type))
    }

    @Test func documents() {
        #expect(MediaType.isIndex(MediaType.index) && MediaType.isIndex(MediaType.dockerManifestList))
        #expect(MediaType.isManifest(MediaType.manifest) && MediaType.isManifest(MediaType.dockerManifest))
        #expect(!MediaType.isIndex(MediaType.manifest) && !MediaType.isManifest(MediaType.index))
        #expect(MediaType.isDocker(MediaType.dockerConfig) && !MediaType.isDocker(MediaType.config))
        #expect(MediaType.bare(" Application/JSON ; charset=utf-8") == "application/json")
    }
}
