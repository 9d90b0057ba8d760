package dev.duoka.machine.probe;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.nvml.MemoryUse;
import dev.duoka.ffi.nvml.Nvml;
import dev.duoka.ffi.nvml.NvmlDevice;
import java.util.List;
import java.util.Map;

/**
 * Who uses a card now.
 *
 * @param index nvidia-smi's number
 * @param uuid its identity; empty where the driver does not tell
 * @param bytes in use by all processes
 * @param processes the bytes of each process that the driver shows here; −1 where it does not tell
 *     how many
 */
public record CardUse(int index, String uuid, long bytes, Map<Long, Long> processes) {
  public CardUse {
    processes = Map.copyOf(processes);
  }

  /**
   * All cards of the machine; none where there is no driver. On a card that is lost it may never
   * return.
   */
  public static List<CardUse> read() {
    return switch (Nvml.find()) {
      case Presence.Present<Nvml> nvml -> nvml.value().devices().stream().map(CardUse::of).toList();
      case Presence.Absent<Nvml> _ -> List.of();
    };
  }

  private static CardUse of(NvmlDevice device) {
    try {
      return new CardUse(
          device.index(),
          device.uuid().orElse(""),
          device.memory().map(MemoryUse::used).orElse(0L),
          device.processMemory().orElse(Map.of()));
    } catch (DuokaException e) { // a lost card must not hide the others
      return new CardUse(device.index(), "", 0, Map.of());
    }
  }
}
