package dev.duoka.ffi.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Every kind of argument and result, on the CPU. */
class OperatorCallTests {
  private static final Operator MM = Operator.of("aten::mm", "");
  private static final Operator CAT = Operator.of("aten::cat", "");
  private static final Operator SUM = Operator.of("aten::sum", "dim_IntList");
  private static final Operator SUM_ALL = Operator.of("aten::sum", "");
  private static final Operator SPLIT = Operator.of("aten::split_with_sizes", "");
  private static final Operator TOPK = Operator.of("aten::topk", "");
  private static final Operator LAYER_NORM = Operator.of("aten::native_layer_norm", "");
  private static final Operator LAYER_NORM_BACKWARD =
      Operator.of("aten::native_layer_norm_backward", "");
  private static final Operator TO = Operator.of("aten::_to_copy", "");

  private final List<Long> owned = new ArrayList<>();

  @AfterEach
  void freeAll() {
    owned.forEach(TensorHandle::delete);
  }

  private long own(long handle) {
    owned.add(handle);
    return handle;
  }

  private long tensor(float[] values, long... sizes) {
    long[] strides = new long[sizes.length];
    long stride = 1;
    for (int i = sizes.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= sizes[i];
    }
    long handle =
        own(
            TensorHandle.empty(
                sizes, strides, Codes.dtype("float32"), Codes.deviceType("cpu"), 0, false));
    TensorHandle.hostMemory(handle, 0, 4 * values.length).asFloatBuffer().put(values);
    return handle;
  }

  private static float[] values(long handle) {
    int count = 1;
    for (long size : TensorHandle.sizes(handle)) {
      count *= Math.toIntExact(size);
    }
    float[] values = new float[count];
    TensorHandle.hostMemory(handle, 0, 4 * count).asFloatBuffer().get(values);
    return values;
  }

  @Test
  void multipliesMatrices() {
    long a = tensor(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    long b = tensor(new float[] {1, 0, 0, 1, 1, 1}, 3, 2);
    long product = own(OperatorCall.of(MM).tensor(a).tensor(b).invoke().result(0));
    assertThat(TensorHandle.sizes(product)).containsExactly(2, 2);
    assertThat(values(product)).containsExactly(4, 5, 10, 11);
    assertThat(values(a)).containsExactly(1, 2, 3, 4, 5, 6); // arguments are borrowed
  }

  @Test
  void takesListsOfTensorsAndIntegers() {
    long a = tensor(new float[] {1, 2}, 1, 2);
    long b = tensor(new float[] {3, 4, 5, 6}, 2, 2);
    long joined = own(OperatorCall.of(CAT).tensors(a, b).integer(0).invoke().result(0));
    assertThat(TensorHandle.sizes(joined)).containsExactly(3, 2);

    long sum =
        own(
            OperatorCall.of(SUM)
                .tensor(joined)
                .optionalIntegers(0)
                .bool(true)
                .none()
                .invoke()
                .result(0));
    assertThat(TensorHandle.sizes(sum)).containsExactly(1, 2);
    assertThat(values(sum)).containsExactly(9, 12);
  }

  @Test
  void returnsListsOfTensors() {
    long a = tensor(new float[] {1, 2, 3, 4, 5}, 5);
    long[] parts =
        OperatorCall.of(SPLIT).tensor(a).integers(2, 3).integer(0).invoke().resultList(0);
    for (long part : parts) {
      own(part);
    }
    assertThat(parts).hasSize(2);
    assertThat(values(parts[0])).containsExactly(1, 2);
    assertThat(values(parts[1])).containsExactly(3, 4, 5);
    assertThat(TensorHandle.storageOffset(parts[1])).isEqualTo(2);
  }

  @Test
  void returnsSeveralTensors() {
    long a = tensor(new float[] {3, 9, 1, 7}, 4);
    OperatorCall call =
        OperatorCall.of(TOPK).tensor(a).integer(2).integer(0).bool(true).bool(true).invoke();
    long best = own(call.result(0));
    long where = own(call.result(1));
    assertThat(values(best)).containsExactly(9, 7);
    assertThat(TensorHandle.dtype(where)).isEqualTo(Codes.dtype("int64"));
    assertThat(TensorHandle.hostMemory(where, 0, 16).asLongBuffer().get(1)).isEqualTo(3);
  }

  @Test
  void takesOptionalTensorsFloatsAndListsOfBools() {
    long x = tensor(new float[] {1, 3, 2, 6}, 2, 2);
    long weight = tensor(new float[] {2, 2}, 2);
    OperatorCall call =
        OperatorCall.of(LAYER_NORM)
            .tensor(x)
            .integers(2)
            .optionalTensor(weight)
            .optionalTensor(0)
            .floating(0.0)
            .invoke();
    long y = own(call.result(0));
    long mean = own(call.result(1));
    long rstd = own(call.result(2));
    assertThat(values(y)).containsExactly(-2, 2, -2, 2);
    assertThat(values(mean)).containsExactly(2, 4);
    assertThat(values(rstd)).containsExactly(1, 0.5f);

    long grad = tensor(new float[] {1, 1, 1, 1}, 2, 2);
    OperatorCall backward =
        OperatorCall.of(LAYER_NORM_BACKWARD)
            .tensor(grad)
            .tensor(x)
            .integers(2)
            .tensor(mean)
            .tensor(rstd)
            .optionalTensor(weight)
            .none()
            .bools(false, true, false)
            .invoke();
    long gradX = own(backward.result(0));
    long gradWeight = own(backward.result(1));
    long gradBias = own(backward.result(2));
    assertThat(values(gradWeight)).containsExactly(-2, 2);
    assertThat(List.of(gradX, gradBias)).doesNotContain(0L); // handles of undefined tensors
  }

  @Test
  void takesOptionalDtypesAndDevices() {
    long a = tensor(new float[] {1.5f, -2}, 2);
    long wide =
        own(
            OperatorCall.of(TO)
                .tensor(a)
                .optionalDtype(Codes.dtype("float64"))
                .none()
                .optionalDevice(Codes.deviceType("meta"), -1)
                .none()
                .bool(false)
                .none()
                .invoke()
                .result(0));
    assertThat(TensorHandle.dtype(wide)).isEqualTo(Codes.dtype("float64"));
    assertThat(TensorHandle.deviceType(wide)).isEqualTo(Codes.deviceType("meta"));
    assertThat(TensorHandle.sizes(wide)).containsExactly(2);
  }

  @Test
  void viewsShareTheirStorage() {
    long a = tensor(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    long transposed = own(TensorHandle.view(a, new long[] {3, 2}, new long[] {1, 3}, 0));
    assertThat(TensorHandle.strides(transposed)).containsExactly(1, 3);
    assertThat(TensorHandle.dataPointer(transposed)).isEqualTo(TensorHandle.dataPointer(a));
    long column = own(TensorHandle.view(a, new long[] {2}, new long[] {3}, 2));
    assertThat(TensorHandle.storageOffset(column)).isEqualTo(2);
    long total = own(OperatorCall.of(SUM_ALL).tensor(column).none().invoke().result(0));
    assertThat(values(total)).containsExactly(9);
    assertThat(TensorHandle.storageBytes(column)).isEqualTo(24);
    assertThat(TensorHandle.deviceIndex(a)).isEqualTo(-1);
  }

  @Test
  void sharedHandlesKeepTheTensorAlive() {
    long a = tensor(new float[] {7}, 1);
    long other = TensorHandle.share(a);
    long third = own(TensorHandle.share(other));
    TensorHandle.delete(other);
    TensorHandle.hostMemory(a, 0, 4).asFloatBuffer().put(0, 8);
    assertThat(values(third)).containsExactly(8);
  }

  @Test
  void typedFunctionsBorrowTheirArguments() {
    long a = tensor(new float[] {5, 6}, 2);
    long b = tensor(new float[] {1, 2}, 2);
    assertThat(values(own(TypedFunctions.subtract(a, b, 2)))).containsExactly(3, 2);
    TypedFunctions.fill(b, 0.25);
    assertThat(values(b)).containsExactly(0.25f, 0.25f);
    long m = tensor(new float[] {1, 2, 3, 4}, 2, 2);
    long out = tensor(new float[] {1, 1, 1, 1}, 2, 2);
    TypedFunctions.addmmOut(false, out, out, m, m, 10, 1);
    assertThat(values(out)).containsExactly(17, 20, 25, 32);
  }

  @Test
  void anUnknownOperatorIsAnErrorWithItsName() {
    Operator unknown = Operator.of("aten::no_such_operator", "here");
    assertThatThrownBy(() -> OperatorCall.of(unknown).invoke())
        .isInstanceOfSatisfying(
            DuokaException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.NATIVE_CALL);
              assertThat(e).hasMessageContaining("aten::no_such_operator.here");
            });
  }

  @Test
  void aWrongShapeIsAnErrorAndTheThreadGoesOn() {
    long a = tensor(new float[6], 2, 3);
    assertThatThrownBy(() -> OperatorCall.of(MM).tensor(a).tensor(a).invoke())
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("aten::mm");
    long square = tensor(new float[] {1, 1, 0, 1}, 2, 2);
    long product = own(OperatorCall.of(MM).tensor(square).tensor(square).invoke().result(0));
    assertThat(values(product)).containsExactly(1, 2, 0, 1);
  }

  @Test
  void anUnknownDtypeIsAnError() {
    assertThatThrownBy(() -> Codes.dtype("float7"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("aoti_torch_dtype_float7");
  }

  @Test
  void threadsDoNotDisturbEachOther() throws InterruptedException, ExecutionException {
    int threads = 4;
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      List<Future<Integer>> results = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        long seed = 20_261_123L + thread;
        results.add(executor.submit(() -> randomProducts(seed)));
      }
      for (Future<Integer> result : results) {
        assertThat(result.get()).isZero();
      }
    }
  }

  /** Multiplies random vectors and matrices and counts the results that Java does not get too. */
  private static int randomProducts(long seed) {
    Random random = new Random(seed);
    int wrong = 0;
    for (int round = 0; round < 300; round++) {
      int width = 1 + random.nextInt(9);
      long row = small(random, 1, width);
      long column = small(random, width, 1);
      float expected = 0;
      for (int i = 0; i < width; i++) {
        expected += values(row)[i] * values(column)[i];
      }
      long product = OperatorCall.of(MM).tensor(row).tensor(column).invoke().result(0);
      wrong += values(product)[0] == expected ? 0 : 1; // small integers: exact
      TensorHandle.delete(product);
      TensorHandle.delete(row);
      TensorHandle.delete(column);
    }
    return wrong;
  }

  private static long small(Random random, long rows, long columns) {
    long handle =
        TensorHandle.empty(
            new long[] {rows, columns},
            new long[] {columns, 1},
            Codes.dtype("float32"),
            Codes.deviceType("cpu"),
            0,
            false);
    ByteBuffer memory = TensorHandle.hostMemory(handle, 0, Math.toIntExact(4 * rows * columns));
    while (memory.hasRemaining()) {
      memory.putFloat(random.nextInt(10));
    }
    return handle;
  }
}
