// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import Testing

@Suite("A timetable")
struct TimetableTests {
    @Test("It gives what a sorted list would, whatever is added, taken and removed")
    func model() {
        var generator = Generator(seed: 3)
        var timetable = Timetable<Int>()
        var model: [(due: Int64, number: Int, ticket: Timetable<Int>.Ticket)] = []
        for number in 0..<5_000 {
            switch Int.random(in: 0..<5, using: &generator) {
            case 0...2:
                let due = Int64.random(in: 0..<500, using: &generator)
                let ticket = timetable.add(number, due: Instant(nanoseconds: due))
                model.append((due, number, ticket))
            case 3:
                let now = Int64.random(in: 0..<500, using: &generator)
                model.sort { ($0.due, $0.number) < ($1.due, $1.number) }
                let expected = model.first.flatMap { $0.due <= now ? $0.number : nil }
                #expect(timetable.take(by: Instant(nanoseconds: now)) == expected)
                if expected != nil { model.removeFirst() }
            default:
                guard let row = model.randomElement(using: &generator) else { continue }
                timetable.remove(row.ticket)
                timetable.remove(row.ticket)
                model.removeAll { $0.number == row.number }
            }
            #expect(timetable.count == model.count)
            #expect(timetable.earliest?.nanoseconds == model.map(\.due).min())
        }
    }

    @Test("Entries that are gone can be taken out together")
    func removeAll() {
        var timetable = Timetable<Int>()
        for number in 0..<10 { timetable.add(number, due: Instant(nanoseconds: Int64(number))) }
        #expect(timetable.take(by: nil) == 0)
        var gone: [Int] = []
        timetable.removeAll {
            $0 % 2 == 1
        } _: {
            gone.append($0)
        }
        #expect(gone == [1, 3, 5, 7, 9])
        #expect(timetable.take(by: nil) == 2)
        #expect(timetable.count == 3)
    }
}
