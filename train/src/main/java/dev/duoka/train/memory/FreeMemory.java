package dev.duoka.train.memory;

import dev.duoka.base.ByteSize;
import dev.duoka.machine.environment.HostMemory;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import java.util.Optional;

/**
 * What is free of a device's memory.
 *
 * @param bytes that are
 * @param limit what says so
 */
record FreeMemory(long bytes, String limit) {
  /** That of the host, or of a GPU as its driver counts it; empty where nothing tells. */
  static Optional<FreeMemory> of(Device device) {
    if (device.isMeta()) {
      return Optional.empty();
    }
    if (device.isCuda()) {
      Gpus.CardMemory card = Gpus.memory(device);
      return Optional.of(
          new FreeMemory(
              card.free(),
              device
                  + " has "
                  + ByteSize.text(card.free())
                  + " free of "
                  + ByteSize.text(card.total())));
    }
    return HostMemory.free().map(host -> new FreeMemory(host.bytes(), host.limit()));
  }
}
