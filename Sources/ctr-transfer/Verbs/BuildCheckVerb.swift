import Build
import Failure

enum BuildCheckVerb {
    static func perform(_ request: BuildRequest) throws(Failure) -> Int32 { 0 }
}
