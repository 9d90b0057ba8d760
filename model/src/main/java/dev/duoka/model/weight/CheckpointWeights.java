package dev.duoka.model.weight;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.modelconfig.QuantizedWeights;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.scaled.Quantization;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The tensors of an open folder as numbers: as they are stored, or, of DeepSeek-V3's FP8 form, each
 * matrix {@code X} in e4m3 times the scales in {@code X_scale_inv}, one for each block
 * (deepseek-ai/DeepSeek-V3, {@code inference/fp8_cast_bf16.py}). Opens and closes no files; any
 * number of threads may read.
 */
public final class CheckpointWeights {
  private static final String SCALES = "_scale_inv";

  /** Bytes of a tensor, in fp32, that are read at once. */
  private static final long READ_BYTES = 32L << 20;

  private final SafetensorsFolder folder;
  private final Optional<QuantizedWeights.Blocks> blocks;
  private final long readBytes;
  private final List<TensorEntry> tensors;

  private CheckpointWeights(
      SafetensorsFolder folder, Optional<QuantizedWeights.Blocks> blocks, long readBytes) {
    this.folder = folder;
    this.readBytes = readBytes;
    this.blocks = blocks;
    this.tensors =
        blocks.isEmpty()
            ? folder.tensors()
            : folder.tensors().stream().filter(entry -> !isScales(entry)).toList();
  }

  /** Tensors that are numbers by themselves: of our own checkpoints, and of adapters. */
  public static CheckpointWeights plain(SafetensorsFolder folder) {
    return new CheckpointWeights(folder, Optional.empty(), READ_BYTES);
  }

  /**
   * The tensors of a model's folder, as its {@code config.json} says they are stored.
   *
   * @throws DuokaException when they are quantized in a way that is not read, or scales are
   *     missing, have another shape or belong to nothing
   */
  public static CheckpointWeights of(SafetensorsFolder folder) {
    return of(folder, READ_BYTES);
  }

  static CheckpointWeights of(SafetensorsFolder folder, long readBytes) {
    CheckpointWeights weights =
        new CheckpointWeights(folder, QuantizedWeights.blocks(folder.path()), readBytes);
    weights.blocks.ifPresent(weights::requireScales);
    return weights;
  }

  /** The blocks that share a scale; empty where there are no scales. */
  public Optional<QuantizedWeights.Blocks> blocks() {
    return blocks;
  }

  /** The folder's path. */
  public Path path() {
    return folder.path();
  }

  /** All tensors but scales, with the dtypes of the files. */
  public List<TensorEntry> tensors() {
    return tensors;
  }

  /** The tensor of this name; an error with the nearest name where there is none. */
  public TensorEntry entry(String name) {
    return folder.entry(name);
  }

  /** Bytes of host memory that {@link #read} of a tensor takes, at most. */
  public long bytes(TensorEntry entry) {
    boolean scaled = isScaled(entry);
    return entry.byteLength() + (scaled ? entry.elements() * Dtype.FLOAT32.bytes() : 0);
  }

  /**
   * Reads a tensor into host memory: in its stored dtype, or in fp32 where it has scales. Of the
   * caller's scope.
   */
  public Tensor read(TensorEntry entry) {
    if (!isScaled(entry)) {
      return StoredTensors.read(folder, entry);
    }
    return rows(entry, entry.shape().getLast(), 0, entry.shape().getFirst());
  }

  /** How many rows of so many columns are read at once: whole blocks. */
  long rowsAtOnce(long columns) {
    long rows = Math.max(1, readBytes / (Math.max(1, columns) * Dtype.FLOAT32.bytes()));
    long block = blocks.map(QuantizedWeights.Blocks::rows).orElse(1);
    return Math.max(block, rows / block * block);
  }

  /**
   * Some rows of a tensor, taken as a matrix of so many columns: {@code [count, columns]}, as
   * {@link #read} gives them. Of the caller's scope.
   *
   * @param first where a block begins
   */
  Tensor rows(TensorEntry entry, long columns, long first, long count) {
    Dtype dtype = isScaled(entry) ? Dtype.FLOAT8_E4M3 : StoredTensors.dtype(entry);
    Tensor stored = Tensors.empty(dtype, Device.CPU, count, columns);
    long start = first * columns * entry.dtype().byteSize();
    HostCopy.write(stored, (offset, chunk) -> folder.read(entry, start + offset, chunk));
    if (!isScaled(entry)) {
      return stored;
    }
    QuantizedWeights.Blocks block = blocks.orElseThrow();
    try (Scope scope = Scope.open();
        stored) {
      TensorEntry scales = folder.entry(entry.name() + SCALES);
      long across = block.ofColumns(columns);
      Tensor factors =
          Tensors.empty(StoredTensors.dtype(scales), Device.CPU, block.ofRows(count), across);
      long firstScale = first / block.rows() * across * scales.dtype().byteSize();
      HostCopy.write(factors, (offset, chunk) -> folder.read(scales, firstScale + offset, chunk));
      Tensor scale = Copies.cast(factors, Dtype.FLOAT32);
      for (double factor : HostCopy.doubles(scale)) {
        if (!Double.isFinite(factor)) {
          throw wrong(scales.name() + " has a scale of " + factor);
        }
      }
      return scope.keep(Quantization.dequantized(stored, scale, block.rows(), block.columns()));
    }
  }

  private boolean isScaled(TensorEntry entry) {
    return blocks.isPresent() && entry.dtype() == StoredDtype.F8_E4M3;
  }

  private boolean isScales(TensorEntry entry) {
    return entry.name().endsWith(SCALES) && folder.contains(weightOf(entry));
  }

  private static String weightOf(TensorEntry scales) {
    return scales.name().substring(0, scales.name().length() - SCALES.length());
  }

  private void requireScales(QuantizedWeights.Blocks block) {
    for (TensorEntry entry : folder.tensors()) {
      if (entry.dtype() == StoredDtype.F8_E4M3) {
        requireScales(entry, block);
      } else if (isScales(entry)) {
        TensorEntry weight = folder.entry(weightOf(entry));
        if (weight.dtype() != StoredDtype.F8_E4M3) {
          throw wrong(
              entry.name() + " would scale " + weight.name() + ", which is " + weight.dtype());
        }
      }
    }
  }

  private void requireScales(TensorEntry entry, QuantizedWeights.Blocks block) {
    if (entry.shape().size() != 2) {
      throw wrong(entry.name() + " is F8_E4M3" + entry.shape() + ", which is no matrix");
    }
    String name = entry.name() + SCALES;
    if (!folder.contains(name)) {
      throw wrong("it has no " + name + ", the scales of " + entry.name());
    }
    TensorEntry scales = folder.entry(name);
    List<Long> wanted =
        List.of(block.ofRows(entry.shape().getFirst()), block.ofColumns(entry.shape().getLast()));
    boolean number = scales.dtype() == StoredDtype.F32 || scales.dtype() == StoredDtype.BF16;
    if (!scales.shape().equals(wanted) || !number) {
      throw wrong(
          name
              + (" is " + scales.dtype() + scales.shape())
              + (", and blocks of " + block + " of " + entry.name() + entry.shape())
              + (" want F32" + wanted));
    }
  }

  private DuokaException wrong(String problem) {
    return new DuokaException(
        ErrorCode.FORMAT,
        "cannot use the FP8 weights of " + folder.path() + ": " + problem,
        "Download the folder again, or correct quantization_config in its config.json");
  }
}
