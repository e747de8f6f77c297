/// A token, and until when it is good.
struct BearerToken: Sendable {
    let value: String
    let expiry: ContinuousClock.Instant

    /// A token server's answer: `token` or `access_token` (servers differ), `expires_in` in seconds, 60 where it is not
    /// said. nil without a token that can stand in a header.
    init?(_ json: JSON, received: ContinuousClock.Instant) {
        guard
            let value = [json["token"]?.text, json["access_token"]?.text].lazy.compactMap({ $0 }).first(
                where: {
                    !$0.isEmpty
                }), value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        self.value = value
        let lifetime = min(max(json["expires_in"]?.integer ?? 60, 0), 86_400)
        // Ended a little early, so that it does not run out on its way; short ones by a fifth.
        let margin = min(Double(lifetime) / 5, 10)
        expiry = received + .seconds(Double(lifetime) - margin)
    }

    init(registryToken value: String) {
        self.value = value
        expiry = .now + .seconds(86_400 * 365)
    }
}
