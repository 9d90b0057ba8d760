package dev.duoka.tensor.nf4;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Operators on 4-bit weights give the bits of the written-out format, whatever is held of them. */
class Nf4WeightsTests {
  private static final long SEED = 41;

  /** Some rows of a matrix, or some of its columns. */
  private record Part(long row, long rows, long column, long width) {
    Nf4Piece of(long height, long pitch, boolean doubled) {
      return new Nf4Piece(height * pitch, row * pitch + column, pitch, rows, width, doubled);
    }
  }

  private static Tensor matrix(Device device, long rows, long columns) {
    Tensor x = new Inputs(SEED, Dtype.FLOAT32, device).normal(rows, columns);
    Tensors.zero(Views.slice(x, 0, Math.min(70, rows * columns))); // a block of zeros, if it is one
    return x;
  }

  /** The bytes of a part, of rows that come some at a time. */
  private static Tensor pack(Tensor x, Nf4Layout layout, long atOnce, Device device) {
    Tensor packed = Tensors.empty(Dtype.UINT8, device, layout.bytes());
    Tensors.fill(packed, 0xa5);
    try (Nf4Writer writer = new Nf4Writer(packed, layout, 0, x.elements())) {
      for (long row = 0; row < x.size(0); row += atOnce) {
        writer.add(Views.narrow(x, 0, row, Math.min(atOnce, x.size(0) - row)));
      }
      writer.finish();
    }
    return packed;
  }

  private static float[] expected(Tensor x, Part part, boolean doubled) {
    float[] all = HostCopy.floats(x);
    float[] whole = Nf4.dequantize(Nf4.quantize(all), all.length, doubled);
    float[] held = new float[Math.toIntExact(part.rows() * part.width())];
    for (int i = 0; i < held.length; i++) {
      long row = part.row() + i / part.width();
      held[i] = whole[(int) (row * x.size(1) + part.column() + i % part.width())];
    }
    return held;
  }

  private static Tensor numbers(Tensor packed, Nf4Layout layout, Dtype dtype) {
    Tensor target = Tensors.empty(dtype, packed.device(), layout.elements());
    Tensors.fill(target, Double.NaN); // what is not written shows
    Nf4Weights.dequantize(packed, layout, target);
    return target;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 0, 1, 0, 1", // one element
    "7, 9, 0, 7, 0, 9", // an odd number of elements
    "3, 64, 0, 3, 0, 64",
    "128, 192, 64, 64, 0, 192", // rows of whole blocks
    "128, 192, 0, 128, 64, 64", // columns of whole blocks
    "96, 48, 31, 33, 0, 48", // rows that begin within a block
    "96, 48, 0, 96, 12, 24", // columns that share blocks with others
    "65, 37, 0, 65, 5, 11", // columns of rows that begin anywhere
    "65, 37, 13, 21, 0, 37",
    "264, 128, 132, 132, 0, 128", // of the second of two maxima
    "264, 128, 0, 264, 64, 64",
  })
  void aPartHasTheNumbersOfTheWhole(
      long height, long pitch, long row, long rows, long column, long width) {
    check(Device.CPU, height, pitch, new Part(row, rows, column, width));
  }

  /** The kernel gives the composition's bits. */
  @Tag("cuda")
  @ParameterizedTest
  @CsvSource({
    "1, 1, 0, 1, 0, 1",
    "7, 9, 0, 7, 0, 9",
    "128, 192, 0, 128, 64, 64",
    "96, 48, 31, 33, 0, 48",
    "96, 48, 0, 96, 12, 24",
    "65, 37, 0, 65, 5, 11",
    "264, 128, 0, 264, 64, 64",
    "2048, 2816, 512, 1024, 0, 2816",
    "2048, 2816, 0, 2048, 1408, 1408",
  })
  void theCardDoesTheSame(long height, long pitch, long row, long rows, long column, long width) {
    check(TestDevice.cuda(), height, pitch, new Part(row, rows, column, width));
  }

  private static void check(Device device, long height, long pitch, Part part) {
    for (boolean doubled : new boolean[] {true, false}) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor x = matrix(Device.CPU, height, pitch);
        Nf4Layout layout = new Nf4Layout();
        layout.add(0, part.of(height, pitch, doubled), 0, part.width());
        float[] expected = expected(x, part, doubled);
        Tensor truth = HostCopy.fromFloats(expected, Dtype.FLOAT32, Device.CPU, expected.length);
        Tensor packed = pack(x, layout, 64, device);
        for (Dtype dtype : new Dtype[] {Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.FLOAT64}) {
          assertThat(HostCopy.doubles(numbers(packed, layout, dtype)))
              .as("%s of %s, doubled %s", part, dtype, doubled)
              .isEqualTo(HostCopy.doubles(Copies.cast(truth, dtype)));
        }
      }
    }
  }

  /** Experts with gate and up, of which the latter half is held, and some columns of the rest. */
  @Test
  void likePiecesAreOneRun() {
    checkRuns(Device.CPU);
  }

  @Tag("cuda")
  @Test
  void likePiecesAreOneLaunch() {
    checkRuns(TestDevice.cuda());
  }

  private static void checkRuns(Device device) {
    long rows = 24;
    long columns = 40;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Nf4Layout layout = new Nf4Layout();
      for (int expert = 0; expert < 3; expert++) {
        layout.add(
            expert,
            new Nf4Piece(rows * columns, 0, columns, rows, columns, true),
            expert * rows * columns,
            columns);
      }
      layout.add(
          3, new Nf4Piece(rows * columns, 16, columns, rows, 24, true), 3 * rows * columns, 24);
      assertThat(layout.runs()).extracting(Nf4Layout.Run::count).containsExactly(3, 1);
      Tensor packed = Tensors.empty(Dtype.UINT8, device, layout.bytes());
      float[] expected = new float[Math.toIntExact(layout.elements())];
      for (int tensor = 0; tensor < 4; tensor++) {
        Tensor x = new Inputs(SEED + tensor, Dtype.FLOAT32, Device.CPU).normal(rows, columns);
        try (Nf4Writer writer = new Nf4Writer(packed, layout, tensor, x.elements())) {
          writer.add(x);
          writer.finish();
        }
        Part part = tensor < 3 ? new Part(0, rows, 0, columns) : new Part(0, rows, 16, 24);
        float[] numbers = expected(x, part, true);
        System.arraycopy(numbers, 0, expected, (int) (tensor * rows * columns), numbers.length);
      }
      assertThat(HostCopy.floats(numbers(packed, layout, Dtype.FLOAT32))).isEqualTo(expected);
    }
  }

  /** Numbers come in bf16 as they are; a scale of 3 is no trouble to what it is multiplied by. */
  @Test
  void narrowRowsAreQuantizedAsTheNumbersThatTheyAre() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor x = new Inputs(SEED, Dtype.BFLOAT16, Device.CPU).normal(8, 64);
      Nf4Layout layout = new Nf4Layout();
      layout.add(0, new Nf4Piece(512, 0, 64, 8, 64, true), 0, 64);
      float[] wide = HostCopy.floats(x);
      assertThat(HostCopy.floats(numbers(pack(x, layout, 8, Device.CPU), layout, Dtype.FLOAT32)))
          .isEqualTo(Nf4.dequantize(Nf4.quantize(wide), wide.length, true));
    }
  }

  /** Without kernels a dry run books what the composition does. */
  @ParameterizedTest
  @CsvSource({"128, 192, 64", "65, 37, 11"})
  void metaBooksTheSame(long height, long pitch, long width) {
    Nf4Layout layout = new Nf4Layout();
    layout.add(0, new Nf4Piece(height * pitch, 3, pitch, height, width, true), 0, width);
    assertThat(peak(layout, Device.META)).isEqualTo(peak(layout, Device.CPU));
  }

  private static long peak(Nf4Layout layout, Device device) {
    MemoryLedger ledger = MemoryLedger.of(device);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor packed = Tensors.zeros(Dtype.UINT8, device, layout.bytes());
      Tensor target = Tensors.empty(Dtype.FLOAT32, device, layout.elements());
      long before = ledger.liveBytes();
      ledger.resetPeak();
      Nf4Weights.dequantize(packed, layout, target);
      return ledger.peakBytes() - before;
    }
  }

  /** From what number on a code is the next one, as bitsandbytes' kernel has it (kernels.cu). */
  @Test
  void codesChangeWhereThoseOfBitsandbytesDo() {
    assertThat(Nf4.valueMiddles())
        .containsExactly(
            -0.8480964004993439f,
            -0.6106329262256622f,
            -0.4599952697753906f,
            -0.33967943489551544f,
            -0.23460740596055984f,
            -0.13791173323988914f,
            -0.045525018125772476f,
            0.03979014977812767f,
            0.1202552504837513f,
            0.2035212516784668f,
            0.2920137718319893f,
            0.3893125355243683f,
            0.5016634166240692f,
            0.6427869200706482f,
            0.8614784181118011f);
  }

  /** 4 bits, an eighth for each block's scale, and next to nothing for the maxima. */
  @Test
  void bytesAreThoseOfThePaper() {
    long elements = 7168L * 19200;
    Nf4Piece doubled = new Nf4Piece(elements, 0, 7168, 19200, 7168, true);
    Nf4Piece plain = new Nf4Piece(elements, 0, 7168, 19200, 7168, false);
    assertThat(8.0 * doubled.bytes() / elements).isBetween(4.126, 4.128);
    assertThat(8.0 * plain.bytes() / elements).isEqualTo(4.5);
  }

  @Test
  void rowsThatAreNoWholeBlocksAreRefused() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Nf4Layout layout = new Nf4Layout();
      layout.add(0, new Nf4Piece(480, 0, 48, 10, 48, true), 0, 48);
      Tensor packed = Tensors.empty(Dtype.UINT8, Device.CPU, layout.bytes());
      try (Nf4Writer writer = new Nf4Writer(packed, layout, 0, 480)) {
        Tensor row = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 1, 48);
        assertThatThrownBy(() -> writer.add(row)).hasMessageContaining("no whole blocks");
        assertThatThrownBy(writer::finish).hasMessageContaining("0 of 480");
      }
    }
  }
}
