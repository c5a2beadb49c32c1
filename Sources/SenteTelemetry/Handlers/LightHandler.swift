// SPDX-License-Identifier: Apache-2.0

/// A handler that is quick, and may run on the thread that all share.
package protocol LightHandler: TelemetryHandler {}
