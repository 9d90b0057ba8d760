package dev.duoka.data.chat;

import dev.duoka.data.tokenizer.ByteTokenizerFiles;
import dev.duoka.data.tokenizer.HfTokenizer;
import dev.duoka.data.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** A tokenizer of bytes that knows the markers of many templates, and reads them from text. */
final class MarkedBytes {
  private static final List<String> MARKERS =
      List.of(
          "<|im_start|>",
          "<|im_end|>",
          "<|User|>",
          "<|Assistant|>",
          "<|eot_id|>",
          "<|start_header_id|>",
          "<|end_header_id|>",
          "<start_of_turn>",
          "<end_of_turn>",
          "<｜User｜>",
          "<｜Assistant｜>",
          "<|EOT|>");

  private MarkedBytes() {}

  static Tokenizer tokenizer() {
    String json =
        new String(
            Objects.requireNonNull(ByteTokenizerFiles.files().get("tokenizer.json")),
            StandardCharsets.UTF_8);
    for (int i = 0; i < MARKERS.size(); i++) {
      json = json.replace("<reserved" + (260 + i) + ">", MARKERS.get(i));
    }
    return HfTokenizer.parse(json.replace("<bos>", "<s>").replace("<eos>", "</s>"), "marked bytes");
  }

  /** Text with bos and eos as other tests write them. */
  static String shown(String text) {
    return text.replace("</s>", "<eos>").replace("<s>", "<bos>");
  }
}
