package dev.duoka.ffi.nvml;

import java.util.Optional;

/**
 * What a device has sent and received over its links.
 *
 * @param sent bytes, or bytes a second
 * @param received bytes, or bytes a second
 */
public record Traffic(long sent, long received) {
  static Optional<Traffic> of(Optional<Long> sent, Optional<Long> received) {
    return sent.flatMap(out -> received.map(in -> new Traffic(out, in)));
  }
}
