package dev.duoka.machine.probe;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.nvml.Clocks;
import dev.duoka.ffi.nvml.GpmMeter;
import dev.duoka.ffi.nvml.GpmReading;
import dev.duoka.ffi.nvml.MemoryUse;
import dev.duoka.ffi.nvml.Nvml;
import dev.duoka.ffi.nvml.NvmlDevice;
import dev.duoka.ffi.nvml.Power;
import dev.duoka.ffi.nvml.Traffic;
import dev.duoka.ffi.nvml.Utilization;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How busy a card is now; what the driver does not tell is empty.
 *
 * @param utilisation per cent of the last moment in which a kernel ran
 * @param memoryBytes in use by all processes
 * @param watts that it draws
 * @param celsius of the chip
 * @param smMegahertz the multiprocessors' clock
 * @param nvLink data over all NVLinks since it was asked the last time
 * @param pcie over the bus since it was asked the last time, or in the last moment
 * @param activity of its parts
 */
public record CardLoad(
    Optional<Integer> utilisation,
    Optional<Long> memoryBytes,
    Optional<Double> watts,
    Optional<Integer> celsius,
    Optional<Integer> smMegahertz,
    Optional<LinkRate> nvLink,
    Optional<LinkRate> pcie,
    CardActivity activity) {
  /** A card about which nothing is known. */
  public static final CardLoad UNKNOWN =
      new CardLoad(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          CardActivity.UNKNOWN);

  /**
   * A card that can be asked.
   *
   * @param index nvidia-smi's number
   * @param uuid its identity, as CUDA tells it too
   * @param read asks the driver; on a card that is lost it may never return
   */
  public record Card(int index, Optional<String> uuid, Supplier<CardLoad> read) {}

  /**
   * All cards of the machine; none where there is no driver. It may never return either.
   *
   * @param counters whether their performance counters are read too
   */
  public static List<Card> cards(boolean counters) {
    return switch (Nvml.find()) {
      case Presence.Present<Nvml> nvml ->
          nvml.value().devices().stream().map(device -> card(device, counters)).toList();
      case Presence.Absent<Nvml> _ -> List.of();
    };
  }

  private static Card card(NvmlDevice device, boolean counters) {
    LinkMeter nvLink = new LinkMeter(device::nvLinkBytes, System::nanoTime);
    GpmMeter gpm = device.gpm();
    Supplier<GpmReading> reading = counters ? gpm::read : () -> GpmReading.NONE;
    return new Card(device.index(), device.uuid(), () -> of(device, nvLink, reading));
  }

  private static CardLoad of(NvmlDevice device, LinkMeter nvLink, Supplier<GpmReading> counters) {
    try {
      GpmReading reading = counters.get();
      return new CardLoad(
          device.utilization().map(Utilization::gpu),
          device.memory().map(MemoryUse::used),
          device.power().flatMap(Power::draw),
          device.temperature(),
          device.clocks().map(Clocks::sm),
          reading.nvLink().map(CardLoad::rate).or(nvLink::rate),
          reading.pcie().or(device::pcieTraffic).map(CardLoad::rate),
          new CardActivity(reading.multiprocessors(), reading.tensorCores(), reading.memory()));
    } catch (DuokaException e) { // it has fallen off the bus, for one
      return UNKNOWN;
    }
  }

  private static LinkRate rate(Traffic traffic) {
    return new LinkRate((double) traffic.sent(), (double) traffic.received());
  }
}
