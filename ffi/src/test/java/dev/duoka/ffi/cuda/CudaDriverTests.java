package dev.duoka.ffi.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.link.MadeUpLibrary;
import dev.duoka.ffi.link.SignatureAudit;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The driver API against a made-up driver in C: what crosses the border, and what errors say. */
class CudaDriverTests {
  private static final long STREAM = 7;
  private static final long BAD_STREAM = 0xbad;
  private static final byte[] CUBIN = "cubin of axpy".getBytes(StandardCharsets.US_ASCII);

  @TempDir private static Path folder;
  private static CudaDriver driver;

  @BeforeAll
  static void compileTheMadeUpDriver() {
    Path library = MadeUpLibrary.compile("made_up_cuda", folder);
    driver = CudaDriver.open(List.of(library.toString())).orElseThrow();
  }

  @Test
  void describesDevices() {
    assertThat(driver.version()).isEqualTo(new CudaVersion(13, 1));
    assertThat(driver.devices()).hasSize(2).map(CudaDevice::toString).contains("cuda:1");
    CudaDevice device = driver.device(1);
    assertThat(device.name()).isEqualTo("Made-up card 1");
    assertThat(device.totalMemory()).isEqualTo(80_000_000_101L);
    assertThat(device.uuid()).isEqualTo("GPU-01f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff");
    assertThat(device.pciBusId()).isEqualTo("0000:65:00.0");
    assertThat(device.computeCapability()).isEqualTo(new ComputeCapability(9, 0));
    assertThat(device.attribute(DeviceAttribute.MULTIPROCESSOR_COUNT)).isEqualTo(16_101);
    assertThat(driver.device(0).canAccessPeer(device)).isTrue();
    assertThat(device.canAccessPeer(driver.device(0))).isFalse();
  }

  @Test
  void askingForMemoryLeavesTheCurrentDeviceAlone() {
    driver.device(1).useOnThisThread();
    assertThat(driver.device(0).memory())
        .isEqualTo(new DeviceMemory(11_000_000_000L, 80_000_000_000L));
    try (CudaEvent event = driver.device(1).newEvent()) {
      event.record(STREAM);
    }
    assertThat(driver.device(1).memory().used()).isEqualTo(58_000_000_000L);
  }

  @Test
  void aDeviceThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> driver.device(2))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DEVICE))
        .hasMessageContaining("cuda:2")
        .hasMessageContaining("sees 2");
  }

  @Test
  void measuresWithEvents() {
    CudaDevice device = driver.device(0);
    try (CudaEvent one = device.newEvent();
        CudaEvent two = device.newEvent()) {
      one.record(STREAM);
      two.record(STREAM);
      two.synchronize();
      two.holdBack(STREAM);
      assertThat(Math.abs(two.millisecondsSince(one))).isEqualTo(1.5);
      assertThat(List.of(one.passed(), two.passed())).containsExactlyInAnyOrder(true, false);
    }
  }

  /** The made-up driver refuses any priority but its greatest. */
  @Test
  void anUrgentStreamHasTheGreatestPriority() {
    try (CudaStream usual = driver.device(0).newStream();
        CudaStream urgent = driver.device(0).newUrgentStream()) {
      assertThat(urgent.handle()).isNotEqualTo(usual.handle()).isNotZero();
    }
  }

  @Test
  void aStreamWaitsForANumberThatCountsRound() {
    try (DeviceBuffer number = new DeviceBuffer(driver.device(0), Integer.BYTES);
        HostMemory host = new HostMemory(Integer.BYTES)) {
      host.bytes().putInt(0, Integer.MIN_VALUE + 2);
      driver.copyToDevice(number.address(), host.address(), Integer.BYTES, STREAM);
      driver.holdBackUntil(STREAM, number.address(), Integer.MAX_VALUE);
      assertThatThrownBy(
              () -> driver.holdBackUntil(STREAM, number.address(), Integer.MIN_VALUE + 3))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("cuStreamWaitValue32");
    }
  }

  @Test
  void outOfMemoryHasItsOwnCode() {
    try (CudaEvent event = driver.device(1).newEvent()) {
      assertThatThrownBy(() -> event.record(BAD_STREAM))
          .isInstanceOfSatisfying(
              DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OUT_OF_MEMORY))
          .hasMessageContaining(
              "cuEventRecord on cuda:1 failed: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory")
          .hasMessageContaining("nvidia-smi");
    }
  }

  @Test
  void launchesWithEveryKindOfArgument() {
    CudaFunction axpy = driver.device(0).load("axpy.cu", CUBIN).function("axpy");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0, 0, 0, 1, 2, 3);
      MemorySegment out = arena.allocate(ValueLayout.JAVA_DOUBLE, 6);
      KernelCall.of(axpy)
          .grid(2, 3, 4)
          .block(5, 6, 7)
          .sharedMemory(4096)
          .pointer(out.address())
          .pointer(in.address())
          .integer(3)
          .longInteger(6)
          .floating(0.5f)
          .doubleFloating(0.125)
          .launch(STREAM);
      assertThat(out.toArray(ValueLayout.JAVA_DOUBLE))
          .containsExactly(432, 765, 4096, 0.625, 1.125, 1.625);
    }
  }

  @Test
  void aRefusedLaunchSaysWhatWasAskedFor() {
    CudaFunction axpy = driver.device(0).load("axpy.cu", CUBIN).function("axpy");
    assertThatThrownBy(() -> KernelCall.of(axpy).grid(9).block(2048).launch(STREAM))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cuLaunchKernel of axpy with grid 9×1×1, block 2048×1×1")
        .hasMessageContaining("CUDA_ERROR_INVALID_VALUE (1): invalid argument");
    KernelCall call = KernelCall.of(axpy);
    for (int i = 0; i < 64; i++) {
      call.integer(i);
    }
    assertThatThrownBy(() -> call.integer(64)).hasMessageContaining("more than 64 arguments");
  }

  @Test
  void setsAndReadsFunctionAttributes() {
    CudaFunction axpy = driver.device(1).load("axpy.cu", CUBIN).function("axpy");
    axpy.allowDynamicSharedMemory(100_000);
    assertThat(axpy.attribute(FunctionAttribute.MAX_DYNAMIC_SHARED_MEMORY)).isEqualTo(100_000);
    assertThat(axpy.attribute(FunctionAttribute.REGISTERS)).isEqualTo(4);
    assertThatThrownBy(() -> axpy.allowDynamicSharedMemory(300_000))
        .hasMessageContaining("300000 bytes of dynamic shared memory");
  }

  @Test
  void refusedCodeAndUnknownKernelsAreNamed() {
    CudaDevice device = driver.device(0);
    assertThatThrownBy(() -> device.load("bad.cu", new byte[] {1, 2, 3, 4, 5, 6}))
        .hasMessageContaining("bad.cu (6 bytes) on cuda:0")
        .hasMessageContaining("kernel cache");
    CudaModule module = device.load("axpy.cu", CUBIN);
    assertThatThrownBy(() -> module.function("saxpy")).hasMessageContaining("saxpy");
  }

  @Test
  void copiesBothWays() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocateFrom(ValueLayout.JAVA_LONG, 1, 2, 3);
      MemorySegment device = arena.allocate(24);
      MemorySegment back = arena.allocate(24);
      driver.copyToDevice(device.address(), host.address(), 24, STREAM);
      driver.copyToHost(back.address(), device.address(), 24, STREAM);
      driver.synchronize(STREAM);
      assertThat(back.toArray(ValueLayout.JAVA_LONG)).containsExactly(1, 2, 3);
      assertThatThrownBy(() -> driver.copyToHost(back.address(), device.address(), 24, BAD_STREAM))
          .hasMessageContaining("24 bytes");
    }
  }

  @Test
  void aMachineWithoutADriverSaysSo() {
    assertThat(CudaDriver.open(List.of("libcuda-not-there.so.1")))
        .isInstanceOfSatisfying(
            Presence.Absent.class,
            absent -> {
              assertThat(absent.reason()).contains("libcuda-not-there.so.1");
              assertThat(absent.remedy()).contains("--gpus all");
            });
  }

  @Test
  void signaturesMatchTheHeaders() {
    assertThat(new CudaFunctions(SignatureAudit.everySymbol())).isNotNull();
    assertThat(new NvrtcFunctions(SignatureAudit.everySymbol())).isNotNull();
    assertThat(new CublasLtFunctions(SignatureAudit.everySymbol())).isNotNull();
    assertThat(SignatureAudit.mismatches()).isEmpty();
  }
}
