// SPDX-License-Identifier: Apache-2.0

/// Whoever lives on a loop: owns descriptors there and has a say at the end of a turn.
///
/// Called on the loop only.
package protocol LoopMember: AnyObject {
    /// One of the member's descriptors is ready.
    func ready(_ descriptor: Int32, _ readiness: Readiness)

    /// The turn in which the member called `finishTurn` ends: the time to hand over and to write.
    func turnEnds()

    /// The loop stops: nothing will come any more, and the loop closes the member's descriptors next.
    func loopStopped()
}
