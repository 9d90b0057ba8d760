package dev.duoka.machine.probe;

import dev.duoka.ffi.nvml.ThrottleReason;
import java.util.List;
import java.util.Set;

/**
 * One GPU.
 *
 * @param index nvidia-smi's number
 * @param name the product's name
 * @param uuid its identity
 * @param pciBusId its place on the PCI bus, as the source prints it
 * @param capability compute capability, for example {@code 9.0}
 * @param memoryTotal bytes of device memory
 * @param memoryUsed bytes in use by all processes
 * @param utilization per cent of time in which a kernel ran
 * @param temperature of the chip in degrees Celsius
 * @param performanceState from {@code P0} (fastest) to {@code P15}
 * @param pcie its PCIe link
 * @param nvlink its NVLinks
 * @param health errors of its memory
 * @param power limits and draw
 * @param clocks clocks
 * @param throttle why clocks are below their maximum
 * @param persistence whether the driver stays loaded without a client
 * @param mig whether the card is cut into MIG instances
 * @param computeMode for example {@code Default} or {@code Exclusive_Process}
 * @param recoveryAction what the driver says must be done, {@code None} when all is well
 * @param fabric state of the NVSwitch fabric, for example {@code Completed}
 * @param processes who uses it
 */
public record Gpu(
    int index,
    Reading<String> name,
    Reading<String> uuid,
    Reading<String> pciBusId,
    Reading<String> capability,
    Reading<Long> memoryTotal,
    Reading<Long> memoryUsed,
    Reading<Integer> utilization,
    Reading<Integer> temperature,
    Reading<String> performanceState,
    Pcie pcie,
    NvLinks nvlink,
    MemoryHealth health,
    Power power,
    Clocks clocks,
    Reading<Set<ThrottleReason>> throttle,
    Reading<Boolean> persistence,
    Reading<Boolean> mig,
    Reading<String> computeMode,
    Reading<String> recoveryAction,
    Reading<String> fabric,
    Reading<List<GpuProcess>> processes) {

  /**
   * A PCIe link.
   *
   * @param generation the generation now; idle cards lower it
   * @param generationMax what device and slot allow together
   * @param generationDeviceMax what the device could do in a better slot
   * @param width lanes now
   * @param widthMax lanes that the device has
   * @param replays packets that were sent again since the last reset
   */
  public record Pcie(
      Reading<Integer> generation,
      Reading<Integer> generationMax,
      Reading<Integer> generationDeviceMax,
      Reading<Integer> width,
      Reading<Integer> widthMax,
      Reading<Long> replays) {}

  /**
   * NVLinks.
   *
   * @param total links of the card, up or down
   * @param active links that are up
   */
  public record NvLinks(Reading<Integer> total, Reading<Integer> active) {}

  /**
   * Errors of the device's memory.
   *
   * @param ecc whether error correction is on
   * @param corrected corrected errors since the driver was loaded
   * @param uncorrected errors since the driver was loaded that could not be corrected
   * @param uncorrectedEver such errors over the card's life
   * @param sramThreshold whether too many SRAM errors were counted: the card should be exchanged
   * @param remappedCorrected rows replaced for corrected errors
   * @param remappedUncorrected rows replaced for uncorrected errors
   * @param remapPending whether a replacement waits for a reset
   * @param remapFailed whether a replacement failed
   * @param retiredSingle pages retired for repeated single-bit errors (cards before Ampere)
   * @param retiredDouble pages retired for double-bit errors
   * @param retiredPending whether a page waits for a reboot to be retired
   */
  public record MemoryHealth(
      Reading<Boolean> ecc,
      Reading<Long> corrected,
      Reading<Long> uncorrected,
      Reading<Long> uncorrectedEver,
      Reading<Boolean> sramThreshold,
      Reading<Long> remappedCorrected,
      Reading<Long> remappedUncorrected,
      Reading<Boolean> remapPending,
      Reading<Boolean> remapFailed,
      Reading<Long> retiredSingle,
      Reading<Long> retiredDouble,
      Reading<Boolean> retiredPending) {}

  /**
   * Power in watts.
   *
   * @param draw what it draws
   * @param limit what it may draw
   * @param defaultLimit what it may draw unless someone changed that
   * @param min the lowest limit that can be set
   * @param max the highest
   */
  public record Power(
      Reading<Double> draw,
      Reading<Double> limit,
      Reading<Double> defaultLimit,
      Reading<Double> min,
      Reading<Double> max) {}

  /**
   * Clocks in MHz.
   *
   * @param sm of the multiprocessors now
   * @param smMax at most
   * @param memory of the memory now
   * @param memoryMax at most
   * @param application what someone set the multiprocessors to, on cards that offer it
   * @param applicationDefault what that is unless someone changed it
   */
  public record Clocks(
      Reading<Integer> sm,
      Reading<Integer> smMax,
      Reading<Integer> memory,
      Reading<Integer> memoryMax,
      Reading<Integer> application,
      Reading<Integer> applicationDefault) {}

  /**
   * A process that uses the GPU.
   *
   * @param pid its id on the host
   * @param type {@code C} for compute, {@code G} for graphics
   * @param name its name
   * @param memory bytes of device memory
   */
  public record GpuProcess(
      long pid, Reading<String> type, Reading<String> name, Reading<Long> memory) {}

  /** For messages: {@code GPU 3}. */
  public String label() {
    return "GPU " + index;
  }

  /** Whether it does nothing, so that lowered clocks and PCIe generation are normal. */
  public boolean looksIdle() {
    boolean lowState =
        performanceState.optional().map(state -> !state.matches("P[01]")).orElse(true);
    boolean busy = utilization.optional().map(percent -> percent >= 10).orElse(false);
    boolean saysIdle =
        throttle.optional().map(reasons -> reasons.contains(ThrottleReason.IDLE)).orElse(false);
    return saysIdle || (!busy && lowState);
  }
}
