package dev.duoka.ffi.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.nvml.MemoryUse;
import dev.duoka.ffi.nvml.Nvml;
import dev.duoka.ffi.nvml.NvmlDevice;
import dev.duoka.ffi.torch.Codes;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.ffi.torch.Operator;
import dev.duoka.ffi.torch.OperatorCall;
import dev.duoka.ffi.torch.TensorHandle;
import dev.duoka.ffi.torch.TypedFunctions;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Driver, compiler, kernels, events and NVML on a real GPU, beside LibTorch's CUDA build. */
@Tag("cuda")
class GpuTests {
  private static final long GIB = 1L << 30;
  private static final int COUNT = 1_000_003; // no multiple of a block
  private static final Operator MM = Operator.of("aten::mm", "");
  private static final Operator TO = Operator.of("aten::_to_copy", "");

  private static final KernelSource SOURCE =
      new KernelSource(
          "test.cu",
          """
          extern "C" __global__ void add(
              const float *a, const float *b, float *c, long n, int stride, float scale, double shift) {
            long first = blockIdx.x * (long)blockDim.x + threadIdx.x;
            for (long i = first; i < n; i += stride) c[i] = a[i] + scale * b[i] + (float)shift;
          }
          extern "C" __global__ void reverse(float *x, int n) {
            extern __shared__ float shared[];
            for (int i = threadIdx.x; i < n; i += blockDim.x) shared[n - 1 - i] = x[i];
            __syncthreads();
            for (int i = threadIdx.x; i < n; i += blockDim.x) x[i] = shared[i];
          }
          """,
          List.of());
  private static final CudaKernel ADD = CudaKernel.of(SOURCE, "add");

  private final List<Long> owned = new ArrayList<>();
  private CudaDevice device;

  @BeforeEach
  void useTheFirstDevice() {
    device = CudaAvailability.check().orElseThrow().getFirst();
    CudaStreams.useDevice(0);
  }

  @AfterEach
  void freeAll() {
    owned.forEach(TensorHandle::delete);
  }

  private long own(long handle) {
    owned.add(handle);
    return handle;
  }

  private long empty(String deviceType, long... sizes) {
    long[] strides = new long[sizes.length];
    long stride = 1;
    for (int i = sizes.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= sizes[i];
    }
    return own(
        TensorHandle.empty(
            sizes, strides, Codes.dtype("float32"), Codes.deviceType(deviceType), 0, false));
  }

  private long onDevice(float[] values) {
    long host = empty("cpu", values.length);
    TensorHandle.hostMemory(host, 0, 4 * values.length).asFloatBuffer().put(values);
    return own(copy(host, "cuda"));
  }

  private float[] values(long tensor) {
    long host = own(copy(tensor, "cpu"));
    float[] values = new float[Math.toIntExact(TensorHandle.sizes(host)[0])];
    FloatBuffer memory = TensorHandle.hostMemory(host, 0, 4 * values.length).asFloatBuffer();
    memory.get(values);
    return values;
  }

  private static long copy(long tensor, String deviceType) {
    return OperatorCall.of(TO)
        .tensor(tensor)
        .none()
        .none()
        .optionalDevice(Codes.deviceType(deviceType), deviceType.equals("cpu") ? -1 : 0)
        .none()
        .bool(false)
        .none()
        .invoke()
        .result(0);
  }

  private static float[] random(long seed) {
    Random random = new Random(seed);
    float[] values = new float[COUNT];
    for (int i = 0; i < COUNT; i++) {
      values[i] = random.nextInt(2000) - 1000; // small integers: every sum is exact
    }
    return values;
  }

  private static void add(long a, long b, long c, float scale, double shift) {
    int blocks = 1024;
    ADD.call(0)
        .grid(blocks)
        .block(256)
        .pointer(TensorHandle.dataPointer(a))
        .pointer(TensorHandle.dataPointer(b))
        .pointer(TensorHandle.dataPointer(c))
        .longInteger(COUNT)
        .integer(blocks * 256)
        .floating(scale)
        .doubleFloating(shift)
        .launch();
  }

  @Test
  void aKernelOfOursAgreesWithLibTorch() {
    long a = onDevice(random(20_261_123));
    long b = onDevice(random(20_261_124));
    long ours = empty("cuda", COUNT);
    add(a, b, ours, 1, 0);
    long theirs = own(TypedFunctions.subtract(a, b, -1));
    assertThat(values(ours)).isEqualTo(values(theirs));

    add(a, b, ours, -2, 0.5);
    long scaled = own(TypedFunctions.subtract(a, b, 2));
    float[] expected = values(scaled);
    for (int i = 0; i < COUNT; i++) {
      expected[i] += 0.5f;
    }
    assertThat(values(ours)).isEqualTo(expected);
  }

  @Test
  void aFreshThreadCanLaunch() throws InterruptedException {
    long a = onDevice(random(1));
    long b = onDevice(random(2));
    long c = empty("cuda", COUNT);
    CudaDriver.find().orElseThrow().synchronize(CudaStreams.current(0));
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread thread =
        new Thread(
            () -> {
              add(a, b, c, 1, 0);
              CudaDriver.find().orElseThrow().synchronize(CudaStreams.current(0));
            });
    thread.setUncaughtExceptionHandler((_, thrown) -> failure.set(thrown));
    thread.start();
    thread.join();
    assertThat(failure.get()).isNull();
    assertThat(values(c)).isEqualTo(values(own(TypedFunctions.subtract(a, b, -1))));
  }

  @Test
  void sharedMemoryBeyondTheDefaultNeedsToBeAllowed() {
    int bytes = 96 * 1024;
    int count = bytes / 4;
    float[] rising = new float[count];
    float[] falling = new float[count];
    for (int i = 0; i < count; i++) {
      rising[i] = i;
      falling[i] = count - 1 - i;
    }
    long x = onDevice(rising);
    CudaKernel reverse = CudaKernel.of(SOURCE, "reverse").withDynamicSharedMemory(bytes);
    assertThat(reverse.on(0).attribute(FunctionAttribute.MAX_DYNAMIC_SHARED_MEMORY))
        .isEqualTo(bytes);
    assertThat(reverse.on(0).attribute(FunctionAttribute.REGISTERS)).isPositive();
    reverse
        .call(0)
        .block(512)
        .sharedMemory(bytes)
        .pointer(TensorHandle.dataPointer(x))
        .integer(count)
        .launch();
    assertThat(values(x)).isEqualTo(falling);
  }

  @Test
  void aRefusedLaunchIsAnErrorAndTheDeviceGoesOn() {
    long a = onDevice(random(3));
    long c = empty("cuda", COUNT);
    assertThatThrownBy(() -> ADD.call(0).block(4096).launch())
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("CUDA_ERROR_INVALID_VALUE")
        .hasMessageContaining("block 4096×1×1");
    add(a, a, c, 1, 0);
    assertThat(values(c)[7]).isEqualTo(2 * values(a)[7]);
  }

  @Test
  void anUnknownKernelIsNamed() {
    CudaKernel unknown = CudaKernel.of(SOURCE, "subtract");
    assertThatThrownBy(() -> unknown.on(0))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cuModuleGetFunction(subtract) of test.cu on cuda:0")
        .hasMessageContaining("CUDA_ERROR_NOT_FOUND");
  }

  @Test
  void eventsMeasureTheDevice() {
    long a = empty("cuda", 4096, 4096);
    TypedFunctions.fill(a, 0.5);
    long stream = CudaStreams.current(0);
    try (CudaEvent start = device.newEvent();
        CudaEvent end = device.newEvent()) {
      own(OperatorCall.of(MM).tensor(a).tensor(a).invoke().result(0)); // warm-up
      start.record(stream);
      own(OperatorCall.of(MM).tensor(a).tensor(a).invoke().result(0));
      end.record(stream);
      end.synchronize();
      assertThat(end.passed()).isTrue();
      // 137 GFLOP: more than 0 and less than a second on every supported card.
      assertThat(end.millisecondsSince(start)).isBetween(0.01, 1000.0);
      assertThat(start.millisecondsSince(start)).isZero();
    }
  }

  @Test
  void driverAndNvmlAgree() {
    Nvml nvml = Nvml.find().orElseThrow();
    assertThat(nvml.driverVersion().orElseThrow()).matches("\\d+\\.\\d+.*");
    assertThat(nvml.cudaDriverVersion()).contains(CudaDriver.find().orElseThrow().version());
    NvmlDevice managed = nvml.device(device.uuid()).orElseThrow();
    assertThat(managed.name()).contains(device.name());
    assertThat(managed.computeCapability()).contains(device.computeCapability());
    assertThat(managed.pciBusId().orElseThrow()).endsWithIgnoringCase(device.pciBusId());
    assertThat(managed.temperature().orElseThrow()).isBetween(10, 110);
    assertThat(managed.power().orElseThrow().draw().orElseThrow()).isBetween(5.0, 2000.0);
    assertThat(managed.clocks().orElseThrow().sm()).isBetween(100, 5000);
    assertThat(managed.throttleReasons()).isPresent();
    assertThat(managed.utilization().orElseThrow().gpu()).isBetween(0, 100);
  }

  @Test
  void memoryOfDriverAndNvmlAgree() {
    NvmlDevice managed = Nvml.find().orElseThrow().device(device.uuid()).orElseThrow();
    empty("cuda", 1); // the context exists now
    DeviceMemory before = device.memory();
    MemoryUse managedBefore = managed.memory().orElseThrow();
    assertThat(managedBefore.free()).isCloseTo(before.free(), within(GIB / 8));
    assertThat(device.totalMemory()).isEqualTo(before.total());

    TypedFunctions.fill(empty("cuda", 2 * GIB / 4), 0);
    CudaDriver.find().orElseThrow().synchronize(CudaStreams.current(0));
    DeviceMemory after = device.memory();
    MemoryUse managedAfter = managed.memory().orElseThrow();
    assertThat(before.free() - after.free()).isCloseTo(2 * GIB, within(GIB / 8));
    assertThat(managedBefore.free() - managedAfter.free()).isCloseTo(2 * GIB, within(GIB / 8));
    // In a container the driver lists the host's process ids, and then there is no answer.
    managed
        .memoryOfThisProcess()
        .ifPresent(bytes -> assertThat(bytes).isBetween(2 * GIB, after.used()));
  }

  @Test
  void peersAreSymmetric() {
    List<CudaDevice> devices = CudaDriver.find().orElseThrow().devices();
    for (CudaDevice a : devices) {
      for (CudaDevice b : devices) {
        assertThat(a.canAccessPeer(b)).isEqualTo(b.canAccessPeer(a));
      }
    }
    assertThat(device.canAccessPeer(device)).isFalse();
  }
}
