// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import SenteWire
import Testing

@Suite("What goes to a server")
struct RemoteIncludeTests {
    private static func signal(
        _ level: SignalLevel, _ kind: SignalKind = .event, in namespace: String = "app", _ id: String? = nil
    ) -> Signal {
        Signal(time: 0, level: level, kind: kind, namespace: namespace, id: id)
    }

    private static let kinds: [(Signal, RemoteInclude?)] = [
        (signal(.error), .errors), (signal(.fatal), .errors), (signal(.report), .errors),
        (signal(.error, .span, "user/login"), .errors),
        (signal(.warn), .warnings), (signal(SignalLevel(rawValue: 69)), .warnings),
        (signal(.warn, .span, "user/login"), .warnings),
        (signal(.info, "user/login"), .userActions),
        (signal(.info, .span, "user.cart/emptied"), .userActions),
        (signal(.info, in: "user"), .userActions), (signal(.info, in: "user.cart"), .userActions),
        (signal(.info, .span, "app/load"), .performance), (signal(.info, "performance/paint"), .performance),
        (signal(.info, in: "performance.ui"), .performance),
        (signal(SignalLevel(rawValue: 59), "app/a"), .others), (signal(.trace), .others),
        (signal(.info, "users/listed"), .others), (signal(.info, "performances/begun"), .others),
        // The id says where it belongs, if there is one.
        (signal(.info, in: "app", "user/login"), .userActions), (signal(.info, in: "user", "app/a"), .others),
        (signal(.info, "sente-lited/begun"), .others),
        (signal(.info, "sente-lite.client/opened"), nil), (signal(.info, .span, "sente-lite/any"), nil),
        (signal(.warn, "sente-lite.client/call-failed"), .warnings),
        (signal(.error, "sente-lite/any"), .errors),
        (signal(.warn, "sente-lite.telemetry/signals-dropped"), nil),
        (signal(.error, in: "sente-lite.telemetry.files"), nil),
    ]

    private static func signal(_ level: SignalLevel, _ id: String) -> Signal { signal(level, .event, id) }

    private static func signal(_ level: SignalLevel, _ kind: SignalKind, _ id: String) -> Signal {
        signal(level, kind, in: String(id.prefix { $0 != "/" }), id)
    }

    @Test("each signal is of one kind, or goes nowhere", arguments: kinds.indices)
    func kind(index: Int) {
        let (signal, kind) = Self.kinds[index]
        for choice in [.errors, .warnings, .userActions, .performance, .others] as [RemoteInclude] {
            #expect(choice.admits(signal) == (choice == kind))
        }
        #expect(RemoteInclude.all.admits(signal) == (kind != nil))
        #expect(RemoteInclude.documented.admits(signal) == (kind != nil && kind != .others))
        #expect(!RemoteInclude().admits(signal))
    }

    @Test("secrets in data and context are hidden")
    func redacted() {
        let secret: ValueMap = [.keyword("password"): "1234", .keyword("n"): 1]
        let signal = Signal(time: 0, namespace: "app", message: "said 1234", data: secret, context: secret)
        let redacted = signal.redacted(by: Redaction())
        let hidden: ValueMap = [.keyword("password"): "…", .keyword("n"): 1]
        #expect(redacted.data == hidden && redacted.context == hidden)
        #expect(redacted.message == "said 1234")
    }
}
