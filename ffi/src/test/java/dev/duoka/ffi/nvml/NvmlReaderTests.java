package dev.duoka.ffi.nvml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The rules about codes and missing values, on a machine made of a map. */
class NvmlReaderTests {
  private static final class FakeNvml implements NvmlCalls {
    final Map<NvmlFunction, NvmlReply> replies = new EnumMap<>(NvmlFunction.class);
    Processes processes = new Processes(3, List.of());

    @Override
    public NvmlReply call(NvmlFunction function, long... arguments) {
      return replies.getOrDefault(function, NvmlReply.failed(FUNCTION_NOT_FOUND));
    }

    @Override
    public Processes processes(long device) {
      return processes;
    }

    @Override
    public NvmlReply field(long handle, int id, int scope) {
      return NvmlReply.failed(FUNCTION_NOT_FOUND);
    }

    @Override
    public GpmValues gpm(long before, long after, List<Integer> ids) {
      return new GpmValues(0, Map.of(ids.getFirst(), 50.0));
    }

    @Override
    public String describe(int code) {
      return "message " + code;
    }
  }

  private final FakeNvml fake = new FakeNvml();
  private final NvmlDevice device = new NvmlDevice(new NvmlReader(fake), 0, 1);

  private static NvmlReply numbers(Long... numbers) {
    return new NvmlReply(NvmlReply.SUCCESS, List.of(numbers), "");
  }

  @Test
  void aDeviceThatOffersNothingIsEmptyThroughout() {
    assertThat(device.name()).isEmpty();
    assertThat(device.memory()).isEmpty();
    assertThat(device.power()).isEmpty();
    assertThat(device.nvLinks()).isEmpty();
    assertThat(device.memoryOfThisProcess()).isEmpty();
    assertThat(new Nvml(fake).devices()).isEmpty();
  }

  /** A set of events on one device: first an Xid, then an error of its memory, then nothing. */
  @Test
  void eventsAreThoseOfTheDriver() {
    fake.replies.put(NvmlFunction.DEVICE_COUNT, numbers(1L));
    fake.replies.put(NvmlFunction.DEVICE_BY_INDEX, numbers(7L));
    assertThat(new Nvml(fake).events()).isEmpty();
    fake.replies.put(NvmlFunction.EVENT_SET_CREATE, numbers(99L));
    fake.replies.put(NvmlFunction.REGISTER_EVENTS, numbers());
    NvmlEvents events = new Nvml(fake).events().orElseThrow();
    fake.replies.put(NvmlFunction.EVENT_SET_WAIT, numbers(7L, 8L, 79L, 0L, 0L));
    assertThat(events.next()).contains(new NvmlEvents.Event(0, 79));
    fake.replies.put(NvmlFunction.EVENT_SET_WAIT, numbers(7L, 2L, 0L, 0L, 0L));
    assertThat(events.next()).contains(new NvmlEvents.Event(0, 0));
    fake.replies.put(NvmlFunction.EVENT_SET_WAIT, NvmlReply.failed(10));
    assertThat(events.next()).as("nothing has happened").isEmpty();
  }

  /** A reading over a pause would tell of a time in which nobody looked. */
  @Test
  void theFirstReadingAfterAPauseIsNone() {
    AtomicLong nanos = new AtomicLong();
    GpmMeter meter = new GpmMeter(new NvmlReader(fake), 1, nanos::get);
    assertThat(meter.read()).isEqualTo(GpmReading.NONE);
    fake.replies.put(NvmlFunction.GPM_SUPPORT, numbers(1L, 1L));
    fake.replies.put(NvmlFunction.GPM_SAMPLE_ALLOC, numbers(5L));
    fake.replies.put(NvmlFunction.GPM_SAMPLE_GET, numbers());
    assertThat(meter.read()).as("asked once").isEqualTo(GpmReading.NONE);
    meter = new GpmMeter(new NvmlReader(fake), 1, nanos::get);
    meter.read();
    nanos.addAndGet(1_000_000_000);
    assertThat(meter.read().multiprocessors()).contains(50.0);
    nanos.addAndGet(60_000_000_000L);
    assertThat(meter.read()).isEqualTo(GpmReading.NONE);
    nanos.addAndGet(1_000_000_000);
    assertThat(meter.read().multiprocessors()).contains(50.0);
  }

  @Test
  void oneMissingFunctionDisablesOnlyItsOwnValue() {
    fake.replies.put(NvmlFunction.POWER_USAGE, numbers(700_000L));
    fake.replies.put(NvmlFunction.TEMPERATURE, numbers(55L));
    assertThat(device.power())
        .contains(new Power(Optional.of(700.0), Optional.empty(), Optional.empty()));
    assertThat(device.temperature()).contains(55);
    assertThat(device.utilization()).isEmpty();
  }

  @Test
  void notOfferedIsEmptyWhateverTheCode() {
    for (int code : new int[] {2, 3, 4, 6, 13, 21, 25, 26, 27}) {
      fake.replies.put(NvmlFunction.TEMPERATURE, NvmlReply.failed(code));
      assertThat(device.temperature()).as("code " + code).isEmpty();
    }
  }

  @Test
  void aBrokenDeviceIsAnError() {
    fake.replies.put(NvmlFunction.TEMPERATURE, NvmlReply.failed(15));
    assertThatThrownBy(device::temperature)
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DEVICE))
        .hasMessageContaining("nvmlDeviceGetTemperature failed: message 15 (15)")
        .hasMessageContaining("Xid");
    fake.replies.put(NvmlFunction.TEMPERATURE, NvmlReply.failed(999));
    assertThatThrownBy(device::temperature)
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NATIVE_CALL));
  }

  @Test
  void aProcessOnSeveralInstancesIsCountedOnce() {
    fake.processes =
        new NvmlCalls.Processes(
            0,
            List.of(
                new NvmlCalls.GpuProcess(7, 100),
                new NvmlCalls.GpuProcess(8, 1000),
                new NvmlCalls.GpuProcess(7, 20),
                new NvmlCalls.GpuProcess(7, -1)));
    assertThat(device.memoryOf(7)).contains(120L);
  }

  @Test
  void unknownCodesOfEnumsDoNotFail() {
    fake.replies.put(NvmlFunction.COMMON_ANCESTOR, numbers(35L));
    fake.replies.put(NvmlFunction.P2P_STATUS, numbers(17L));
    fake.replies.put(NvmlFunction.THROTTLE_REASONS, numbers(0x8000_0000_0000_0004L));
    assertThat(device.topologyTo(device)).isEmpty();
    assertThat(device.p2pStatus(device, P2pCapability.WRITE)).contains(P2pStatus.UNKNOWN);
    assertThat(device.throttleReasons().orElseThrow()).containsExactly(ThrottleReason.POWER_CAP);
  }
}
