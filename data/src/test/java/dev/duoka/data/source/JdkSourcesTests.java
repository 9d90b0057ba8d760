package dev.duoka.data.source;

import static dev.duoka.data.source.SourceSamples.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JdkSourcesTests {
  @TempDir Path folder;

  @Test
  void prefersTheRunningJdkThenTheEnvironmentThenTheNewestInstalled() throws IOException {
    Path linked = folder.resolve("image");
    Path jvms = folder.resolve("jvm");
    Path old = write(jvms.resolve("java-17-x/lib/src.zip"), "");
    assertThat(JdkSources.find(linked, Map.of(), jvms)).isEqualTo(old);
    Path recent = write(jvms.resolve("temurin-25-jdk/lib/src.zip"), "");
    assertThat(JdkSources.find(linked, Map.of(), jvms)).isEqualTo(recent);
    Path named = write(folder.resolve("mine/lib/src.zip"), "");
    Map<String, String> environment = Map.of("DUOKA_JAVA_HOME", folder.resolve("mine").toString());
    assertThat(JdkSources.find(linked, environment, jvms)).isEqualTo(named);
    Path own = write(linked.resolve("lib/src.zip"), "");
    assertThat(JdkSources.find(linked, environment, jvms)).isEqualTo(own);
  }

  @Test
  void saysWhereItLooked() {
    Path nowhere = folder.resolve("none");
    assertThatThrownBy(() -> JdkSources.find(nowhere, Map.of("JAVA_HOME", "/home/jdk"), nowhere))
        .hasMessageContaining("looked in " + nowhere + ", /home/jdk")
        .hasMessageContaining("DUOKA_JAVA_HOME");
  }
}
