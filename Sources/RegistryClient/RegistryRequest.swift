internal import NIOHTTP1

/// A request to a registry's API.
struct RegistryRequest: Sendable {
    var method: HTTPMethod
    /// Path below `/v2/` with its query, or the absolute address that the registry gave (an upload's location).
    var target: Target
    var headers: HTTPHeaders = [:]
    /// The first is the repository that the request is about.
    var scopes: [TokenScope] = []
    var body: [UInt8]?

    enum Target: Sendable {
        case path(String)
        case address(WebAddress)
    }
}
