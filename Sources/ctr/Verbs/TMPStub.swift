import Engine
import Failure
import CommandTable
enum CopyVerb { static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 { 1 } }
enum DiffVerb { static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 { 1 } }
enum ExportVerb { static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 { 1 } }
enum BundleVerb { static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 { 1 } }
extension Engine { func sizes(of: ContainerRecord) throws(Failure) -> ContainerSizes { throw Failure(.unsupported, "x") } }
