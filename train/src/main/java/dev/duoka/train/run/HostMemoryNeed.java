package dev.duoka.train.run;

import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import java.util.Locale;

/**
 * What a run needs of the host's memory: the snapshot of a checkpoint, and the program.
 *
 * @param bytes of it
 * @param why what they are for
 */
public record HostMemoryNeed(long bytes, String why) {
  /** fp32 weights and AdamW's two moments, as the snapshot of a checkpoint holds them. */
  public static final long BYTES_PER_PARAMETER = 12;

  /** The Java heap at most, LibTorch, CUDA's contexts and pinned buffers. */
  private static final long PROGRAM = 8L << 30;

  /** That of a run. */
  public static HostMemoryNeed of(RunConfig run) {
    long parameters = ParameterCounts.of(ModelSource.config(run.model())).totalWithMtp();
    return new HostMemoryNeed(
        parameters * BYTES_PER_PARAMETER + PROGRAM,
        String.format(
            Locale.ROOT,
            "a snapshot of %.2f billion parameters with their moments, 12 bytes each, and 8 GiB for"
                + " the program",
            parameters / 1e9));
  }
}
