package dev.duoka.measure.calibrate;

import dev.duoka.base.ByteSize;
import dev.duoka.hardware.AttentionSample;
import dev.duoka.hardware.HostSample;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.Pass;
import dev.duoka.hardware.ProductSample;
import dev.duoka.hardware.StreamSample;
import java.io.PrintWriter;
import java.util.Locale;

/**
 * A machine's measure, for people. Cards compute in TFLOP/s, a CPU in GFLOP/s; of a CPU alone
 * nothing is said of links to cards.
 */
public final class CalibrationText {
  private final MachineProfile profile;
  private final PrintWriter out;

  private CalibrationText(MachineProfile profile, PrintWriter out) {
    this.profile = profile;
    this.out = out;
  }

  /** Prints a profile as tables. */
  public static void print(MachineProfile profile, PrintWriter out) {
    new CalibrationText(profile, out).print();
  }

  private void print() {
    out.printf(Locale.ROOT, "%s, in %.0f s%n", profile.title(), profile.seconds());
    heading("products, " + unit(), 38, "forward", "inputs", "weights");
    profile.products().forEach(this::print);
    heading("attention, " + unit(), 38, "forward", "backward");
    profile.attention().forEach(this::print);
    heading("bound by memory", 62, "µs", "GB/s");
    for (StreamSample stream : profile.streams()) {
      line(stream.name(), 62, stream.latency() * 1e6, stream.bytesPerSecond() * 1e-9);
    }
    if (!profile.exchanges().isEmpty()) {
      heading("exchange", 38, "µs", "GB/s");
      profile
          .exchanges()
          .forEach(
              it ->
                  line(
                      it.name() + " of " + it.ranks() + ", " + ByteSize.text(it.bytes()),
                      38,
                      it.seconds() * 1e6,
                      it.bytes() / it.seconds() * 1e-9));
    }
    profile.host().ifPresent(this::print);
  }

  private boolean isOfCards() {
    return !profile.cards().isEmpty();
  }

  private String unit() {
    return isOfCards() ? "TFLOP/s" : "GFLOP/s";
  }

  private double rate(double flops, double seconds) {
    return flops / seconds * (isOfCards() ? 1e-12 : 1e-9);
  }

  private void print(ProductSample sample) {
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
    line(
        sample.format() + "  " + shape,
        38,
        rate(sample.flops(), sample.seconds(Pass.FORWARD)),
        rate(sample.flops(), sample.seconds(Pass.INPUT_GRADIENTS)),
        rate(sample.flops(), sample.seconds(Pass.WEIGHT_GRADIENTS)));
  }

  private void print(AttentionSample sample) {
    line(
        sample.heads()
            + " heads of "
            + sample.width()
            + "/"
            + sample.valueWidth()
            + ", "
            + sample.length()
            + " tokens",
        38,
        rate(sample.flops(), sample.forward()),
        rate(2.5 * sample.flops(), sample.backward()));
  }

  private void print(HostSample host) {
    out.printf("%nlaunch of an operator %s µs%n", number(profile.launchSeconds() * 1e6));
    if (isOfCards()) {
      out.printf(
          "host to card %s GB/s, back %s GB/s%s%n",
          number(host.toDevice() * 1e-9),
          number(host.toHost() * 1e-9),
          host.bothWays().isPresent()
              ? ", each way at once " + number(host.bothWays().getAsDouble() * 1e-9) + " GB/s"
              : "");
    }
    out.printf(
        "AdamW on the host %s ns a weight%ndisk: written at %s GB/s, read at %s GB/s%n",
        number(host.updateSeconds() * 1e9),
        number(host.diskWrite() * 1e-9),
        number(host.diskRead() * 1e-9));
  }

  private void heading(String name, int width, String... columns) {
    out.printf("%n%-" + width + "s", name);
    for (String column : columns) {
      out.printf(" %9s", column);
    }
    out.println();
  }

  private void line(String name, int width, double... values) {
    out.printf("%-" + width + "s", name);
    for (double value : values) {
      out.printf(" %9s", number(value));
    }
    out.println();
  }

  /** Three digits that tell something, however small; all of those before the point. */
  static String number(double value) {
    if (value == 0 || !Double.isFinite(value)) {
      return value == 0 ? "0" : String.valueOf(value);
    }
    int digits = Math.max(0, 2 - (int) Math.floor(Math.log10(Math.abs(value))));
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}
