// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// How often everything happened that is worth having happened.
struct Coverage {
    private(set) var counts: [String: [String: Int]] = [:]

    mutating func count(_ kind: String, _ name: String) { counts[kind, default: [:]][name, default: 0] += 1 }

    func of(_ kind: String, _ name: String) -> Int { counts[kind]?[name] ?? 0 }

    mutating func add(_ other: Coverage) {
        for (kind, names) in other.counts {
            counts[kind, default: [:]].merge(names) { $0 + $1 }
        }
    }

    mutating func count(_ effect: Effect) {
        count("effect", caseName(effect))
        guard case .record(let signal) = effect else { return }
        switch signal {
        case .dropped(let reason): count("drop", reason.rawValue)
        case .missed: count("signal", "missed")
        case .undecodable: count("signal", "undecodable")
        case .serverError: count("signal", "serverError")
        case .failed(let code), .refused(let code): count("error", code.rawValue)
        case .opened(_, let isReconnect, _): count("signal", isReconnect ? "reopened" : "opened")
        case .ignored(let reason): count("ignored", reason.rawValue)
        case .roundTrip: count("signal", "roundTrip")
        case .linkEnded(let error?): count("error", error.code.rawValue)
        case .requestSent: count("signal", "requestSent")
        case .requestEnded(_, _, let code, _):
            count("signal", code == nil ? "requestAnswered" : "requestFailed")
        case .responseSent: count("signal", "responseSent")
        case .resumed: count("signal", "resumed")
        case .sessionLost: count("signal", "sessionLost")
        case .flow: count("signal", "flow")
        case .attemptStarted, .linkEnded(nil), .received, .transmitted, .responderFailed, .storeFailed,
            .largeData:
            break
        }
    }

    mutating func count(_ result: Result<Answer, SenteError>) {
        switch result {
        case .success(.published): count("outcome", "acknowledged")
        case .success(.written): count("outcome", "written")
        case .success(.value): count("outcome", "answered")
        case .success(.subscribed(let status)):
            count("outcome", status.isConfirmed ? "subscribed" : "subscribed unconfirmed")
        case .success(.roundTrip): count("outcome", "round trip")
        case .success(.channels), .success(.names): count("outcome", "listed")
        case .success(.done): count("outcome", "done")
        case .failure(let error): count("outcome", error.outcome?.rawValue ?? "failed without a message")
        }
    }

    /// A table for people; what was to happen and did not shows as 0.
    func table(expecting expected: [String: [String]]) -> (text: String, zeros: [String]) {
        var lines: [String] = []
        var zeros: [String] = []
        for kind in Set(counts.keys).union(expected.keys).sorted() {
            let names = Set(counts[kind, default: [:]].keys).union(expected[kind] ?? []).sorted()
            lines.append(kind)
            for name in names {
                let count = of(kind, name)
                if count == 0 { zeros.append("\(kind) \(name)") }
                let dots = String(repeating: ".", count: max(2, 36 - name.count))
                lines.append("    \(name) \(dots) \(count)")
            }
        }
        return (lines.joined(separator: "\n"), zeros)
    }
}

/// An enum's case by its own name, without what it carries.
func caseName(_ value: Any) -> String { Mirror(reflecting: value).children.first?.label ?? "\(value)" }
