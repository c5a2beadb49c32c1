// SPDX-License-Identifier: Apache-2.0

public import SenteWire

extension Event {
    /// Makes an event the short way: `Event("chat/say", ["text": "hello"])`.
    public init(_ id: Keyword, _ data: Value = .null) {
        self.init(id: id, data: data)
    }

    /// Makes an event of Sente's form, `[id]` or `[id data]`.
    ///
    /// Throws `invalidArgument` that says what is wrong, as Sente's `validate-event` does: no vector, not one or two
    /// elements, an id that is no keyword, or that has no namespace.
    public init(validating vector: Value) throws(SenteError) {
        guard case .vector(let items) = vector else { throw Self.invalid("it is no vector: write [id data]") }
        guard items.count == 1 || items.count == 2 else {
            throw Self.invalid("it has \(items.count) elements: write [id] or [id data]")
        }
        guard let id = items[0].keywordValue else { throw Self.invalid("its id is no keyword") }
        self.init(id: id, data: items.count == 2 ? items[1] : .null)
        try checkID()
    }

    /// Refuses an id that Sente's servers do not take.
    package func checkID() throws(SenteError) {
        guard id.namespace == nil || !id.isValid else { return }
        throw Self.invalid(
            "its `id` is “\(id.text.excerpt())”: give a keyword with a namespace, such as chat/say")
    }

    private static func invalid(_ reason: String) -> SenteError {
        SenteError(.invalidArgument, "This is no event, because \(reason).", outcome: .notSent)
    }
}
