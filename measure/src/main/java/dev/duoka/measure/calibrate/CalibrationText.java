package dev.duoka.measure.calibrate;

import dev.duoka.base.ByteSize;
import dev.duoka.hardware.HostSample;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.Pass;
import dev.duoka.hardware.ProductSample;
import dev.duoka.hardware.StreamSample;
import java.io.PrintWriter;
import java.util.Locale;

/** A machine's measure, for people. */
public final class CalibrationText {
  private CalibrationText() {}

  /** Prints a profile as tables. */
  public static void print(MachineProfile profile, PrintWriter out) {
    out.printf(Locale.ROOT, "%s, in %.0f s%n", profile.title(), profile.seconds());
    out.printf(
        Locale.ROOT, "%n%-38s %9s %9s %9s   TFLOP/s%n", "products", "forward", "inputs", "weights");
    for (ProductSample sample : profile.products()) {
      String shape =
          sample.groups() == 0
              ? sample.rows() + " x " + sample.in() + " x " + sample.out()
              : sample.groups()
                  + " of "
                  + sample.rows() / sample.groups()
                  + " x "
                  + sample.in()
                  + " x "
                  + sample.out();
      out.printf(
          Locale.ROOT,
          "%-38s %9.1f %9.1f %9.1f%n",
          sample.format() + "  " + shape,
          rate(sample, Pass.FORWARD),
          rate(sample, Pass.INPUT_GRADIENTS),
          rate(sample, Pass.WEIGHT_GRADIENTS));
    }
    out.printf(Locale.ROOT, "%n%-38s %9s %9s   TFLOP/s%n", "attention", "forward", "backward");
    profile
        .attention()
        .forEach(
            it ->
                out.printf(
                    Locale.ROOT,
                    "%-38s %9.1f %9.1f%n",
                    it.heads()
                        + " heads of "
                        + it.width()
                        + "/"
                        + it.valueWidth()
                        + ", "
                        + it.length()
                        + " tokens",
                    it.flops() / it.forward() * 1e-12,
                    2.5 * it.flops() / it.backward() * 1e-12));
    out.printf("%n%-62s %9s %9s%n", "bound by memory", "µs", "GB/s");
    for (StreamSample stream : profile.streams()) {
      out.printf(
          Locale.ROOT,
          "%-62s %9.1f %9.1f%n",
          stream.name(),
          stream.latency() * 1e6,
          stream.bytesPerSecond() * 1e-9);
    }
    if (!profile.exchanges().isEmpty()) {
      out.printf("%n%-38s %9s %9s%n", "exchange", "µs", "GB/s");
      profile
          .exchanges()
          .forEach(
              it ->
                  out.printf(
                      Locale.ROOT,
                      "%-38s %9.1f %9.1f%n",
                      it.name() + " of " + it.ranks() + ", " + ByteSize.text(it.bytes()),
                      it.seconds() * 1e6,
                      it.bytes() / it.seconds() * 1e-9));
    }
    profile.host().ifPresent(host -> print(host, profile, out));
  }

  private static void print(HostSample host, MachineProfile profile, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%nlaunch of an operator %.1f µs%nhost to card %.1f GB/s, back %.1f GB/s%s%n"
            + "AdamW on the host %.3f ns a weight%ndisk: written at %.2f GB/s, read at %.2f GB/s%n",
        profile.launchSeconds() * 1e6,
        host.toDevice() * 1e-9,
        host.toHost() * 1e-9,
        host.bothWays().isPresent()
            ? String.format(
                Locale.ROOT, ", each way at once %.1f GB/s", host.bothWays().getAsDouble() * 1e-9)
            : "",
        host.updateSeconds() * 1e9,
        host.diskWrite() * 1e-9,
        host.diskRead() * 1e-9);
  }

  private static double rate(ProductSample sample, Pass pass) {
    return sample.flops() / sample.seconds(pass) * 1e-12;
  }
}
