import Dockerfile
import Testing

@Suite struct NearestTests {
    private let nearest = Nearest(among: ["FROM", "RUN", "ENTRYPOINT", "ENV", "ADD"])

    @Test(arguments: [
        ("FORM", "FROM"), ("RNU", "RUN"), ("entrypiont", "ENTRYPOINT"), ("ENTRYPOIN", "ENTRYPOINT"),
        ("ENVV", "ENV"),
        ("AD", "ADD"),
    ])
    func suggests(_ word: String, _ option: String) {
        #expect(nearest.to(word) == option)
        #expect(nearest.hint(for: word) == "did you mean \"\(option)\"?")
    }

    @Test(arguments: ["", "X", "VOLUME", "run", "POINT"])
    func isSilentWhereNothingIsNear(_ word: String) {
        #expect(nearest.to(word) == nil)
    }
}
