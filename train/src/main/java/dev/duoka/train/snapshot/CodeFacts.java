package dev.duoka.train.snapshot;

import dev.duoka.base.Sha256;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleReference;
import java.lang.module.ResolvedModule;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.SortedMap;
import java.util.TreeMap;
import tools.jackson.databind.node.ObjectNode;

/** Which program runs: its version, its commit where that is known, and what it was built to. */
final class CodeFacts {
  private static final String OURS = "dev.duoka.";

  /** Our properties of the JVM that say where a thing lies, and change with each machine. */
  private static final List<String> PLACES = List.of("duoka.repository", "duoka.test.");

  private CodeFacts() {}

  static ObjectNode read() {
    ObjectNode code = Json.object();
    Optional<ModuleDescriptor> module =
        Optional.ofNullable(CodeFacts.class.getModule().getDescriptor());
    code.put("duoka", module.flatMap(ModuleDescriptor::rawVersion).orElse("development"));
    Optional<Path> place = place();
    place.flatMap(SourceCommit::of).ifPresent(commit -> code.put("commit", commit));
    build().ifPresent(hash -> code.put("build", hash));
    code.put("java", Runtime.version().toString());
    code.put("java_vendor", System.getProperty("java.vendor", "unknown"));
    ObjectNode properties = Json.object();
    ours(System.getProperties()).forEach(properties::put);
    if (!properties.isEmpty()) {
      code.set("properties", properties);
    }
    return code;
  }

  private static SortedMap<String, String> ours(Properties properties) {
    SortedMap<String, String> ours = new TreeMap<>();
    for (String name : properties.stringPropertyNames()) {
      if (name.startsWith("duoka.") && PLACES.stream().noneMatch(name::startsWith)) {
        ours.put(name, properties.getProperty(name, ""));
      }
    }
    return ours;
  }

  private static Optional<Path> place() {
    return Optional.ofNullable(CodeFacts.class.getProtectionDomain().getCodeSource())
        .flatMap(source -> Optional.ofNullable(source.getLocation()))
        .map(location -> URI.create(location.toString()))
        .filter(location -> "file".equals(location.getScheme()))
        .map(Path::of);
  }

  /**
   * A hash over the jars of our modules; empty for a run-time image, and for classes in folders.
   */
  private static Optional<String> build() {
    List<Path> jars =
        ModuleLayer.boot().configuration().modules().stream()
            .filter(module -> module.name().startsWith(OURS))
            .sorted(Comparator.comparing(ResolvedModule::name))
            .map(ResolvedModule::reference)
            .map(ModuleReference::location)
            .flatMap(Optional::stream)
            .filter(location -> "file".equals(location.getScheme()))
            .map(Path::of)
            .filter(Files::isRegularFile)
            .toList();
    MessageDigest digest = Sha256.digest();
    try {
      for (Path jar : jars) {
        digest.update(String.valueOf(jar.getFileName()).getBytes(StandardCharsets.UTF_8));
        digest.update(Files.readAllBytes(jar));
      }
    } catch (IOException e) {
      return Optional.empty(); // replaced while it runs
    }
    return jars.isEmpty()
        ? Optional.empty()
        : Optional.of(RunSnapshot.shortened(HexFormat.of().formatHex(digest.digest())));
  }
}
