package dev.duoka.planner.time;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.planner.Megatron;
import dev.duoka.planner.PublishedRuns;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.shape.ModelShape;

/** What the time model says of runs that others measured: predicted over measured, less one. */
public final class PublishedTimes {
  private PublishedTimes() {}

  /** A run of SimuMax on 8 B200. */
  public static double error(PublishedRuns.Run run) {
    ModelShape shape = run.shape();
    Catalogue catalogue = Catalogue.builtIn();
    LinkRates links = new LinkRates(catalogue.machine("8xB200"), catalogue);
    double seconds =
        new TimeModel(shape, run.job(), Megatron.TRAITS, links)
            .seconds(run.layout(), Stage.split(shape, run.pipeline()));
    return seconds * 1e3 / run.milliseconds() - 1;
  }

  /**
   * torch.compile on one H100, fp32 master weights and bf16, 4,096 tokens: the peers of this
   * project.
   *
   * @param batch 8 (602.1 ms) or 4 (318.0 ms) sequences
   */
  public static double coderOnOneH100(int batch) {
    double milliseconds = batch == 8 ? 602.1 : 318.0;
    Layout layout = data(1, 0, batch, 1, LossKind.UNFUSED);
    return seconds(Presets.named("deepseek-coder-1.3b"), "1xH100", layout, 4096)
            * 1e3
            / milliseconds
        - 1;
  }

  /**
   * GPT-2 1558M by llm.c on 8 H100: 2.80 s for 1,048,576 tokens; its MLP as a SwiGLU of equal work.
   */
  public static double gptTwoByLlmC() {
    ModelConfig config = PublishedRuns.llama(1600, 48, 25, 25, 4267, 50304);
    return seconds(config, "8xH100", data(8, 1, 16, 8, LossKind.FUSED), 1024) / 2.80 - 1;
  }

  /** MPT-7B at 2,048 tokens, bf16, sharded over 8 A100-80: 4,641 tokens/s a card. */
  public static double mptOnEightA100() {
    ModelConfig config = PublishedRuns.llama(4096, 32, 32, 32, 10923, 50368);
    Layout layout = data(8, 3, 16, 4, LossKind.FUSED);
    double tokens = 8.0 * 16 * 4 * 2048;
    return seconds(config, "8xA100", layout, 2048) / (tokens / 8 / 4641) - 1;
  }

  private static double seconds(ModelConfig config, String machine, Layout layout, int length) {
    ModelShape shape = ModelShape.of(config);
    Catalogue catalogue = Catalogue.builtIn();
    long tokens = (long) length * layout.data() * layout.microBatch() * layout.accumulation();
    LinkRates links = new LinkRates(catalogue.machine(machine), catalogue);
    return new TimeModel(shape, new Job(length, tokens, 1), Megatron.TRAITS, links)
        .seconds(layout, Stage.split(shape, 1));
  }

  static Layout data(int data, int zero, int batch, int accumulation, LossKind loss) {
    return new Layout(
        data,
        1,
        1,
        1,
        1,
        zero,
        batch,
        accumulation,
        Recompute.NONE,
        Offload.NONE,
        loss,
        Precision.BF16,
        Method.FULL);
  }
}
