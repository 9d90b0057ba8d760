package dev.duoka.machine.probe;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.nvml.Ecc;
import dev.duoka.ffi.nvml.Nvml;
import dev.duoka.ffi.nvml.NvmlDevice;
import dev.duoka.ffi.nvml.NvmlEvents;
import dev.duoka.ffi.nvml.ThrottleReason;
import dev.duoka.hardware.xid.Xid;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether a card is well.
 *
 * @param index nvidia-smi's number
 * @param uuid its identity; empty where the driver does not tell
 * @param isLost whether the driver says that it is gone
 * @param uncorrected errors of its memory since the driver was loaded that could not be corrected
 * @param celsius of the chip
 * @param isTooHot whether the hardware slows it down for its temperature
 */
public record CardHealth(
    int index,
    String uuid,
    boolean isLost,
    Optional<Long> uncorrected,
    Optional<Integer> celsius,
    boolean isTooHot) {
  private static final Duration KERNEL_LOG_LIMIT = Duration.ofSeconds(5);

  /**
   * An error that the driver or the kernel has reported.
   *
   * @param index the card's, as nvidia-smi counts; -1 where only the line tells
   * @param xid the driver's number of it; 0 for an error of the memory that could not be corrected
   * @param line of the kernel log; empty for what the driver said itself
   */
  public record Fault(int index, int xid, String line) {
    /** The card has fallen off the bus. */
    private static final int OFF_THE_BUS = 79;

    /** Whether the card is gone. */
    public boolean isLoss() {
      return xid == OFF_THE_BUS;
    }

    /** For people, for example {@code Xid 79 (GPU has fallen off the bus): …}. */
    public String text() {
      String what =
          xid == 0
              ? "an error of its memory that could not be corrected"
              : "Xid "
                  + xid
                  + Xid.of(xid).map(known -> " (" + known.name() + "): " + known.why()).orElse("");
      return what + (line.isEmpty() ? "" : ": " + line);
    }
  }

  /** Asks about all cards of a machine. On a card that is lost it may never return. */
  public interface Probe {
    /** How all cards are now; one that cannot be reached any more may be missing. */
    List<CardHealth> cards();

    /** What was reported since it was asked last. */
    List<Fault> faults();
  }

  /** Asks this machine's driver, and reads the kernel's log where that may be read. */
  public static Probe ofThisMachine() {
    return new Live();
  }

  private static final class Live implements Probe {
    private Optional<NvmlEvents> events = Optional.empty();
    private boolean opened;
    private long kernelLines = -1;

    @Override
    public List<CardHealth> cards() {
      return nvml()
          .map(nvml -> nvml.devices().stream().map(CardHealth::of).toList())
          .orElse(List.of());
    }

    @Override
    public List<Fault> faults() {
      List<Fault> faults = new ArrayList<>();
      if (!opened) {
        opened = true;
        events = nvml().flatMap(Nvml::events);
      }
      events.ifPresent(
          from -> {
            for (Optional<NvmlEvents.Event> event = from.next();
                event.isPresent();
                event = from.next()) {
              faults.add(new Fault(event.get().index(), event.get().xid(), ""));
            }
          });
      if (events.isEmpty()) { // else the driver has said it already
        faults.addAll(ofKernelLog());
      }
      return faults;
    }

    private static Optional<Nvml> nvml() {
      return switch (Nvml.find()) {
        case Presence.Present<Nvml> nvml -> Optional.of(nvml.value());
        case Presence.Absent<Nvml> _ -> Optional.empty();
      };
    }

    private List<Fault> ofKernelLog() {
      CommandRunner.Result log =
          CommandRunner.ofThisMachine().run(List.of("dmesg"), KERNEL_LOG_LIMIT);
      if (!log.succeeded()) {
        return List.of();
      }
      List<KernelEvent> xids =
          log.output()
              .lines()
              .flatMap(line -> KernelLogReader.event(line).stream())
              .filter(event -> event.kind() == KernelEvent.Kind.XID)
              .toList();
      long before = kernelLines;
      kernelLines = xids.size();
      return before < 0
          ? List.of() // of the time before the run
          : xids.stream()
              .skip(before)
              .map(event -> new Fault(-1, event.code(), event.line()))
              .toList();
    }
  }

  private static CardHealth of(NvmlDevice device) {
    try {
      Set<ThrottleReason> reasons = device.throttleReasons().orElse(Set.of());
      return new CardHealth(
          device.index(),
          device.uuid().orElse(""),
          false,
          device.ecc().flatMap(Ecc::uncorrected),
          device.temperature(),
          reasons.contains(ThrottleReason.HARDWARE_THERMAL));
    } catch (DuokaException e) {
      return new CardHealth(
          device.index(),
          "",
          e.code() == ErrorCode.DEVICE,
          Optional.empty(),
          Optional.empty(),
          false);
    }
  }
}
