// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite("An ordered set")
struct OrderedSetTests {
    @Test("It is a set that is walked in the order of putting in")
    func model() {
        var generator = Generator(seed: 5)
        var set = OrderedSet<Int>()
        var model: [Int] = []
        for _ in 0..<4_000 {
            let number = Int.random(in: 0..<50, using: &generator)
            #expect(set.contains(number) == model.contains(number))
            if Bool.random(using: &generator) {
                #expect(set.insert(number) == !model.contains(number))
                if !model.contains(number) { model.append(number) }
            } else {
                #expect(set.remove(number) == model.contains(number))
                model.removeAll { $0 == number }
            }
            #expect(Array(set) == model)
            #expect(set.count == model.count)
            #expect(set.isEmpty == model.isEmpty)
        }
    }

    /// Counts how often elements were looked at.
    private final class Looks {
        var count = 0
    }

    private struct Counted: Hashable {
        let number: Int
        let looks: Looks

        static func == (lhs: Counted, rhs: Counted) -> Bool {
            lhs.looks.count += 1
            return lhs.number == rhs.number
        }

        func hash(into hasher: inout Hasher) {
            looks.count += 1
            hasher.combine(number)
        }
    }

    @Test("Whatever is taken out first, a change looks at as many elements among 4,000 as among 40")
    func cost() {
        for takesFirstOut in [true, false] {
            let looks = [40, 4_000].map { count in
                let looks = Looks()
                var set = OrderedSet<Counted>()
                for number in 0..<count { set.insert(Counted(number: number, looks: looks)) }
                for number in 0..<count {
                    set.remove(
                        Counted(number: takesFirstOut ? number : count - 1 - number, looks: looks))
                }
                return Double(looks.count) / Double(count)
            }
            #expect(looks[1] < looks[0] * 2)
        }
    }
}
