import Dockerfile
import Testing

@Suite struct ExcerptTests {
    @Test func showsTheMeantLineAmongItsNeighbours() {
        let excerpt = Excerpt(lines: ["FROM a", "RUNN x", "CMD y"], range: SourceRange(2, column: 2))
        #expect(excerpt.text == "  1  | FROM a\n  2 >| RUNN x\n     |  ^\n  3  | CMD y")
    }
}
