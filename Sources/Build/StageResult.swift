internal import OCI

/// What a stage has come to.
struct StageResult: Sendable {
    var chain = LayerChain()
    var settings = ImageConfig.Settings()
    var history: [ImageConfig.History] = []
    var author: String?
    var platform: Platform
}
