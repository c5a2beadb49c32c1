// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Maps of values")
struct ValueMapTests {
    @Test("do what an ordered dictionary does, at any size")
    func model() {
        var generator = SplitMix(state: 3)
        var map = ValueMap()
        var model: [(key: Value, value: Value)] = []
        for step in 0..<20_000 {
            let bound = step < 10_000 ? 12 : 300
            let number = generator.below(bound)
            let key: Value =
                number % 3 == 0
                ? .string("k\(number)") : number % 3 == 1 ? .keyword(Keyword("k\(number)")) : Value(number)
            let place = model.firstIndex { $0.key == key }
            #expect(map[key] == place.map { model[$0].value })
            if generator.below(3) == 0 {
                #expect(map.removeValue(forKey: key) == place.map { model[$0].value })
                if let place { model.remove(at: place) }
            } else {
                map[key] = Value(step)
                if let place { model[place].value = Value(step) } else { model.append((key, Value(step))) }
            }
            #expect(map.count == model.count && map.isEmpty == model.isEmpty)
        }
        #expect(map.keys == model.map(\.key))
        #expect(map.values == model.map(\.value))
        #expect(map.map(\.value) == model.map(\.value))
        #expect(map == ValueMap(model.reversed().map { ($0.key, $0.value) }))
    }

    @Test("are reached by text and by keyword, which differ")
    func subscripts() {
        var map: ValueMap = ["a": 1, .keyword("a"): 2]
        #expect(map["a"] == 1)
        #expect(map[Keyword("a")] == 2)
        map["a"] = nil
        map[Keyword("a")] = 3
        #expect(map == [.keyword("a"): 3])
        #expect(map.description == "{:a 3}")
    }

    @Test("take any value as key, maps included")
    func anyKey() {
        let keys = ValueTests.different.filter { !$0.isNull }
        let map = ValueMap(keys.enumerated().map { ($0.element, Value($0.offset)) })
        for (place, key) in keys.enumerated() { #expect(map[key] == Value(place)) }
        #expect(map[["nothing"]] == nil)
    }

    @Test("of a hundred thousand keys are made and compared without looking at every pair")
    func large() {
        var map = ValueMap()
        for number in 0..<100_000 { map[Value(number)] = Value(number) }
        let turned = ValueMap((0..<100_000).reversed().map { (Value($0), Value($0)) })
        #expect(map == turned)
        #expect(map.hashValue == turned.hashValue)
        #expect(map[Value(77_777)] == 77_777)
    }
}

@Suite("Sets of values")
struct ValueSetTests {
    @Test("hold each value once, in the order of insertion")
    func once() {
        var set = ValueSet((0..<50).map { Value($0 % 20) })
        #expect(Array(set) == (0..<20).map { Value($0) })
        #expect(!set.insert(3) && set.insert(100) && set.contains(100))
        #expect(set.remove(0) && !set.remove(0) && !set.contains(0))
        #expect(set.count == 20 && !set.isEmpty)
        #expect(set == ValueSet(Array(set).reversed()))
        #expect(([1, 1] as ValueSet).description == "#{1}")
    }
}
