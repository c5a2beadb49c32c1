// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite

// The first thing to run: a client and a server, and every step shown with what came over the wire.

let report = Report.standard

do {
    switch try EchoArguments(Array(CommandLine.arguments.dropFirst())) {
    case .help: report.text(EchoArguments.usage)
    case .local: try await LocalDemo(report).run()
    case .remote(let demo): try await demo.run(report)
    }
} catch let failure as Failure {
    report.failure(failure.message)
    exit(failure.status)
} catch {
    report.failure(String(describing: error))
    exit((error as? SenteError)?.code == .invalidArgument ? 2 : 1)
}
