package dev.duoka.hardware;

import dev.duoka.base.CacheFolder;
import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A {@link MachineProfile} on disk. */
public final class MachineProfileFile {
  /** Raised when a reader of before would misread a file. */
  private static final int FORMAT = 1;

  private MachineProfileFile() {}

  /**
   * Where this machine's own is, unless another place is said.
   *
   * @param ofCards whether its cards were measured; what its CPU can do is a file beside it
   */
  public static Path usual(boolean ofCards) {
    return CacheFolder.of("machine").resolve(ofCards ? "profile.json" : "profile-cpu.json");
  }

  /**
   * Makes sure that a profile can be written later, and makes its folder.
   *
   * @throws DuokaException with {@link ErrorCode#IO} if it cannot be
   */
  public static void prepare(Path file) {
    try {
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw new FileSystemException(file.toString(), null, "it is no file");
      }
      Files.createDirectories(folder(file));
      CrashSafeFiles.tryOut(folder(file));
    } catch (IOException e) {
      throw notWritten(file, e);
    }
  }

  /** Writes a profile, whole or not at all, and makes the folder. */
  public static void write(Path file, MachineProfile profile) {
    try {
      Files.createDirectories(folder(file));
      CrashSafeFiles.write(file, Json.pretty(json(profile)).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw notWritten(file, e);
    }
  }

  private static Path folder(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null) {
      throw new FileSystemException(file.toString(), null, "it is no file");
    }
    return folder;
  }

  private static DuokaException notWritten(Path file, IOException why) {
    return new DuokaException(
        ErrorCode.IO,
        "cannot write the machine profile " + file + ": " + IoReason.of(why),
        "Name another file with --output.",
        why);
  }

  /** Reads a profile. */
  public static MachineProfile read(Path file) {
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read the machine profile " + file + ": " + IoReason.of(e),
          "'duoka calibrate' writes one.",
          e);
    }
    JsonFields fields =
        JsonFields.of(
            Json.parse(content, file.toString(), ErrorCode.FORMAT),
            file.toString(),
            ErrorCode.FORMAT);
    if (fields.integer("format") != FORMAT) {
      throw fields.error(
          "a machine profile of format " + fields.integer("format"),
          "This version reads format " + FORMAT + ": run 'duoka calibrate' again.");
    }
    return profile(fields);
  }

  /** What {@link #write} writes. */
  public static ObjectNode json(MachineProfile profile) {
    ObjectNode json = Json.object();
    json.put("format", FORMAT);
    json.put("date", profile.date());
    ArrayNode cards = json.putArray("cards");
    profile.cards().forEach(cards::add);
    ObjectNode versions = json.putObject("versions");
    new TreeMap<>(profile.versions()).forEach(versions::put);
    json.put("seconds", profile.seconds());
    json.put("launch_seconds", profile.launchSeconds());
    ArrayNode products = json.putArray("products");
    for (ProductSample it : profile.products()) {
      ObjectNode one = products.addObject();
      one.put("format", it.format().toString());
      one.put("groups", it.groups());
      one.put("rows", it.rows());
      one.put("in", it.in());
      one.put("out", it.out());
      one.put("forward_seconds", it.forward());
      one.put("input_gradients_seconds", it.inputGradients());
      one.put("weight_gradients_seconds", it.weightGradients());
    }
    ArrayNode attention = json.putArray("attention");
    for (AttentionSample it : profile.attention()) {
      ObjectNode one = attention.addObject();
      one.put("heads", it.heads());
      one.put("length", it.length());
      one.put("width", it.width());
      one.put("value_width", it.valueWidth());
      one.put("forward_seconds", it.forward());
      one.put("backward_seconds", it.backward());
    }
    ArrayNode streams = json.putArray("streams");
    for (StreamSample it : profile.streams()) {
      ObjectNode one = streams.addObject();
      one.put("name", it.name());
      one.put("latency_seconds", it.latency());
      one.put("bytes_per_second", it.bytesPerSecond());
    }
    ArrayNode exchanges = json.putArray("exchanges");
    for (ExchangeSample it : profile.exchanges()) {
      ObjectNode one = exchanges.addObject();
      one.put("name", it.name());
      one.put("transport", it.transport());
      one.put("ranks", it.ranks());
      one.put("bytes", it.bytes());
      one.put("seconds", it.seconds());
    }
    profile
        .host()
        .ifPresent(
            it -> {
              ObjectNode host = json.putObject("host");
              host.put("to_device_bytes_per_second", it.toDevice());
              host.put("to_host_bytes_per_second", it.toHost());
              it.bothWays().ifPresent(rate -> host.put("both_ways_bytes_per_second", rate));
              host.put("update_seconds_per_weight", it.updateSeconds());
              host.put("disk_write_bytes_per_second", it.diskWrite());
              host.put("disk_read_bytes_per_second", it.diskRead());
            });
    return json;
  }

  private static MachineProfile profile(JsonFields fields) {
    JsonFields versions = fields.object("versions").orElseThrow(() -> lacks(fields, "versions"));
    Map<String, String> byName = new TreeMap<>();
    versions.names().forEach(name -> byName.put(name, versions.text(name).orElse("")));
    return new MachineProfile(
        fields.text("date").orElseThrow(() -> lacks(fields, "date")),
        fields.texts("cards"),
        byName,
        positive(fields, "seconds"),
        positive(fields, "launch_seconds"),
        fields.objects("products").stream().map(MachineProfileFile::product).toList(),
        fields.objects("attention").stream().map(MachineProfileFile::attention).toList(),
        fields.objects("streams").stream().map(MachineProfileFile::stream).toList(),
        fields.objects("exchanges").stream().map(MachineProfileFile::exchange).toList(),
        host(fields));
  }

  private static ProductSample product(JsonFields it) {
    return new ProductSample(
        format(it),
        it.integer("groups"),
        it.integer("rows"),
        it.integer("in"),
        it.integer("out"),
        positive(it, "forward_seconds"),
        positive(it, "input_gradients_seconds"),
        positive(it, "weight_gradients_seconds"));
  }

  private static NumberFormat format(JsonFields it) {
    String name = it.text("format").orElse("");
    return Arrays.stream(NumberFormat.values())
        .filter(format -> format.toString().equals(name))
        .findFirst()
        .orElseThrow(() -> it.error("format '" + name + "'", "Run 'duoka calibrate' again."));
  }

  private static AttentionSample attention(JsonFields it) {
    return new AttentionSample(
        it.integer("heads"),
        it.integer("length"),
        it.integer("width"),
        it.integer("value_width"),
        positive(it, "forward_seconds"),
        positive(it, "backward_seconds"));
  }

  private static StreamSample stream(JsonFields it) {
    return new StreamSample(
        it.text("name").orElseThrow(() -> lacks(it, "name")),
        it.number("latency_seconds"),
        positive(it, "bytes_per_second"));
  }

  private static ExchangeSample exchange(JsonFields it) {
    return new ExchangeSample(
        it.text("name").orElseThrow(() -> lacks(it, "name")),
        it.text("transport").orElseThrow(() -> lacks(it, "transport")),
        it.integer("ranks"),
        it.integer("bytes"),
        positive(it, "seconds"));
  }

  private static Optional<HostSample> host(JsonFields fields) {
    return fields
        .object("host")
        .map(
            it ->
                new HostSample(
                    positive(it, "to_device_bytes_per_second"),
                    positive(it, "to_host_bytes_per_second"),
                    it.isPresent("both_ways_bytes_per_second")
                        ? OptionalDouble.of(positive(it, "both_ways_bytes_per_second"))
                        : OptionalDouble.empty(),
                    positive(it, "update_seconds_per_weight"),
                    positive(it, "disk_write_bytes_per_second"),
                    positive(it, "disk_read_bytes_per_second")));
  }

  private static double positive(JsonFields fields, String name) {
    double value = fields.number(name);
    if (!(value > 0) || Double.isInfinite(value)) {
      throw fields.error(name + " is " + value, "Run 'duoka calibrate' again.");
    }
    return value;
  }

  private static DuokaException lacks(JsonFields fields, String name) {
    return fields.error("it has no '" + name + "'", "Run 'duoka calibrate' again.");
  }
}
