package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.log.LogSource;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/** Generated logs, as healthy runs print them. */
final class Logs {
  private Logs() {}

  static LogSource source(String name, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return new LogSource(name, () -> new ByteArrayInputStream(bytes));
  }

  static Diagnosis diagnose(String text) {
    return Diagnosis.of(List.of(source("run.log", text)));
  }

  /** Lines of a run in which nothing is wrong, alarming-looking ones among them. */
  static List<String> healthy(Random random, int lines) {
    return IntStream.range(0, lines).mapToObj(i -> healthyLine(random, i)).toList();
  }

  private static String healthyLine(Random random, int i) {
    int rank = random.nextInt(8);
    double loss = 2 + random.nextDouble();
    return switch (random.nextInt(16)) {
      case 0 ->
          "[rank"
              + rank
              + "]:[W1120 10:00:00.123456789 Utils.hpp:166] Warning: Environment variable"
              + " NCCL_ASYNC_ERROR_HANDLING is deprecated; use TORCH_NCCL_ASYNC_ERROR_HANDLING"
              + " instead (function operator())";
      case 1 ->
          "node3:88:120 ["
              + rank
              + "] NCCL INFO NET/Plugin : No plugin found (libnccl-net.so), using internal"
              + " implementation";
      case 2 ->
          "node3:88:120 ["
              + rank
              + "] NCCL INFO dlvsym failed on mlx5dv_reg_dmabuf_mr - /lib/libmlx5.so: undefined"
              + " symbol: mlx5dv_reg_dmabuf_mr, version MLX5_1.25";
      case 3 ->
          "[2025-04-18 04:05:06,789] [INFO] [loss_scaler.py:181:update_scale] [deepspeed] OVERFLOW!"
              + " Rank 0 Skipping step. Attempted loss scale: 65536, reducing to 32768";
      case 4 ->
          "Setting OMP_NUM_THREADS environment variable for each process to be 1 in default, to"
              + " avoid your system being overloaded";
      case 5 ->
          "nvidia-peermem nv_get_p2p_free_callback:127 ERROR detected invalid context, skipping"
              + " further processing";
      case 6 ->
          String.format(
              Locale.ROOT,
              "{'loss': %.4f, 'grad_norm': %.3f, 'learning_rate': 2e-05, 'epoch': 0.%d}",
              loss,
              loss / 3,
              i % 100);
      case 7 ->
          String.format(
              Locale.ROOT,
              " iteration %8d/   50000 | elapsed time per iteration (ms): 812.4 | lm loss: %.6E |"
                  + " loss scale: 1.0 | number of skipped iterations:   0 | number of nan"
                  + " iterations:   0 |",
              i,
              loss);
      case 8 -> "step:" + i + "/6200 train_loss:" + loss + " train_time:74701ms step_avg:nanms";
      case 9 -> "\r Epoch 1: " + i % 100 + "%|███▌      | " + i + "/9999 [00:12<01:02, 9.31it/s]";
      case 10 ->
          "Token indices sequence length is longer than the specified maximum sequence length for"
              + " this model (5120 > 4096). Running this sequence through the model will result in"
              + " indexing errors";
      case 11 ->
          "/opt/venv/lib/python3.11/site-packages/torch/utils/checkpoint.py:87: UserWarning: None"
              + " of the inputs have requires_grad=True. Gradients will be None";
      case 12 ->
          "[2025-04-18 03:20:47,466] [INFO] [launch.py:460:main] Process "
              + (70000 + i)
              + " exits successfully.";
      case 13 ->
          "|   0  NVIDIA H100 80GB HBM3          On  | 00000000:61:00.0 Off |                    0"
              + " |";
      case 14 ->
          "{\"step\":"
              + i
              + ",\"loss\":"
              + loss
              + ",\"lr\":3.0E-4,\"grad_norm\":0.81,\"loss_scale\":1.0,\"applied\":true,\"tokens\":8192}";
      default -> "saving checkpoint to /ckpt/step_" + i + " (0 errors, 0 warnings)";
    };
  }
}
