import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;

/**
 * Writes a training log of a given size: eight ranks' steps, NCCL's set-up, launchers' lines,
 * warnings that mean nothing, and one failure near the end.
 *
 * <p>Usage: java Generate.java FILE MEBIBYTES
 */
final class Generate {
  private Generate() {}

  public static void main(String[] arguments) throws IOException {
    long size = Long.parseLong(arguments[1]) << 20;
    long failure = size - size / 50;
    Random random = new Random(1);
    long written = 0;
    boolean failed = false;
    try (OutputStream out =
        new BufferedOutputStream(Files.newOutputStream(Path.of(arguments[0])), 1 << 20)) {
      for (int i = 0; written < size; i++) {
        // After the failure no rank makes steps any more: a log that goes on has survived it.
        String line = failed ? notice(random) : line(random, i);
        if (!failed && written > failure) {
          failed = true;
          line =
              "[rank5]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU"
                  + " 5 has a total capacity of 79.11 GiB of which 1.06 GiB is free. Including"
                  + " non-PyTorch memory, this process has 78.04 GiB memory in use. Of the"
                  + " allocated memory 74.93 GiB is allocated by PyTorch, and 1.34 GiB is reserved"
                  + " by PyTorch but unallocated.";
        }
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        out.write(bytes);
        written += bytes.length;
      }
    }
  }

  private static String notice(Random random) {
    int rank = random.nextInt(8);
    return "node3:88:120 ["
        + rank
        + "] NCCL INFO Channel 0"
        + rank
        + "/0 : "
        + rank
        + "[9b000] -> 0[9a000] via P2P/IPC";
  }

  private static String line(Random random, int i) {
    int rank = random.nextInt(8);
    double loss = 2 + random.nextDouble();
    return switch (random.nextInt(12)) {
      case 0 ->
          "[rank"
              + rank
              + "]: /opt/venv/lib/python3.11/site-packages/torch/utils/checkpoint.py:87:"
              + " UserWarning: None of the inputs have requires_grad=True. Gradients will be None";
      case 1 ->
          "node3:88:120 ["
              + rank
              + "] NCCL INFO Channel 0"
              + rank
              + "/0 : "
              + rank
              + "[9b000] -> 0[9a000] via P2P/IPC";
      case 2 ->
          String.format(
              Locale.ROOT,
              "{'loss': %.4f, 'grad_norm': %.3f, 'learning_rate': 2e-05, 'epoch': 0.%d}",
              loss,
              loss / 3,
              i % 100);
      case 3, 4 ->
          String.format(
              Locale.ROOT,
              " iteration %8d/   50000 | elapsed time per iteration (ms): %.1f | learning rate:"
                  + " 1.875E-05 | lm loss: %.6E | loss scale: 1.0 | grad norm: 0.8 | number of"
                  + " skipped iterations:   0 | number of nan iterations:   0 |",
              i,
              800 + loss,
              loss);
      case 5 ->
          "\r Epoch 1: " + i % 100 + "%|███▌      | " + i + "/9999999 [00:12<01:02, 9.31it/s]";
      case 6 ->
          "[2026-11-18 04:05:06,789] [INFO] [timer.py:199:stop] epoch=0/micro_step="
              + i
              + "/global_step="
              + i
              + ", RunningAvgSamplesPerSec=173.44, CurrSamplesPerSec="
              + loss
              + ", MemAllocated=3.96GB, MaxMemAllocated=21.3GB";
      case 7 ->
          "time (ms) | forward: 35346.30 | backward: 87957.05 | backward-backward: 87957.01 |"
              + " optimizer: "
              + loss
              + " | batch generator: 10.47";
      case 8 ->
          "{\"step\":"
              + i
              + ",\"loss\":"
              + loss
              + ",\"lr\":3.0E-4,\"grad_norm\":0.81,\"loss_scale\":1.0,\"applied\":true,\"tokens\":8192}";
      case 9 ->
          "(RayTrainWorker pid="
              + (4000 + rank)
              + ") 2026-11-18 01:46:53 INFO checkpoint saved, 0 errors, 0 warnings";
      case 10 ->
          "I1118 01:46:53."
              + (100000 + i % 900000)
              + " 12 ProcessGroupNCCL.cpp:900] [PG 0 Rank "
              + rank
              + "] ProcessGroupNCCL environments: NCCL_TIMEOUT: 600000,"
              + " TORCH_NCCL_ASYNC_ERROR_HANDLING: 3";
      default ->
          "step:"
              + i
              + "/6200 train_loss:"
              + loss
              + " train_time:74701ms step_avg:"
              + (200 + loss)
              + "ms";
    };
  }
}
