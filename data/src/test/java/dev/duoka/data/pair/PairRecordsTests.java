package dev.duoka.data.pair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.chat.Message;
import dev.duoka.data.chat.Role;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every form that preference data comes in gives the same pair. */
class PairRecordsTests {
  private static final List<Message> ASKED = List.of(new Message(Role.USER, "1+1?"));

  private static List<Message> with(String answer) {
    return List.of(ASKED.getFirst(), new Message(Role.ASSISTANT, answer));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'prompt': '1+1?', 'chosen': '2', 'rejected': '3'}",
        "{'prompt': [{'role': 'user', 'content': '1+1?'}],"
            + " 'chosen': [{'role': 'assistant', 'content': '2'}],"
            + " 'rejected': [{'role': 'assistant', 'content': '3'}]}",
        "{'chosen': [{'role': 'user', 'content': '1+1?'}, {'role': 'assistant', 'content': '2'}],"
            + " 'rejected': [{'role': 'user', 'content': '1+1?'},"
            + " {'role': 'assistant', 'content': '3'}]}",
        "{'prompt': '1+1?', 'score_chosen': 9,"
            + " 'chosen': [{'role': 'user', 'content': '1+1?'}, {'role': 'assistant', 'content':"
            + " '2'}], 'rejected': [{'role': 'user', 'content': '1+1?'},"
            + " {'role': 'assistant', 'content': '3'}]}",
        "{'prompt': '1+1?', 'prompt_id': 'x', 'messages': [{'role': 'user', 'content': '1+1?'},"
            + " {'role': 'assistant', 'content': '2'}],"
            + " 'chosen': [{'role': 'user', 'content': '1+1?'}, {'role': 'assistant', 'content':"
            + " '2'}], 'rejected': [{'role': 'user', 'content': '1+1?'},"
            + " {'role': 'assistant', 'content': '3'}]}",
        "{'conversations': [{'from': 'human', 'value': '1+1?'}],"
            + " 'chosen': {'from': 'gpt', 'value': '2'}, 'rejected': {'from': 'gpt', 'value':"
            + " '3'}}",
        "{'messages': [{'role': 'user', 'content': '1+1?'}],"
            + " 'chosen': {'role': 'assistant', 'content': '2'},"
            + " 'rejected': {'role': 'assistant', 'content': '3'}}",
        "{'messages': [{'role': 'user', 'content': '1+1?'},"
            + " {'role': 'assistant', 'content': '2'}], 'rejected_response': '3'}",
        "{'instruction': '1+1?', 'input': '', 'chosen': '2', 'rejected': '3'}",
        "{'instruction': '1+1?', 'output': ['2', '3']}",
        "{'question': '1+1?', 'chosen': '2', 'rejected': '3'}",
        "{'query': '1+1?', 'response': '2', 'rejected_response': '3'}",
        "{'messages': [{'role': 'user', 'content': '1+1?'},"
            + " {'role': 'assistant', 'content': '2'}],"
            + " 'rejected_messages': [{'role': 'user', 'content': '1+1?'},"
            + " {'role': 'assistant', 'content': '3'}]}",
        "{'chosen': '\\n\\nHuman: 1+1?\\n\\nAssistant: 2',"
            + " 'rejected': '\\n\\nHuman: 1+1?\\n\\nAssistant: 3'}",
      })
  void eachFormIsRead(String record) {
    AnswerPair pair = PairRecords.parse(record.replace('\'', '"'), "pairs.jsonl line 1");
    assertThat(pair.chosen().messages()).isEqualTo(with("2"));
    assertThat(pair.rejected().messages()).isEqualTo(with("3"));
  }

  @Test
  void whatWasSaidBeforeIsKept() {
    AnswerPair pair =
        PairRecords.parse(
            """
            {"system": "Be short.", "prompt": [{"role": "user", "content": "a"},
             {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}],
             "chosen": "d", "rejected": "e"}
            """,
            "x");
    assertThat(pair.chosen().messages())
        .hasSize(5)
        .first()
        .isEqualTo(new Message(Role.SYSTEM, "Be short."));
    assertThat(pair.rejected().messages().getLast()).isEqualTo(new Message(Role.ASSISTANT, "e"));
  }

  @Test
  void answersMayCallToolsBetween() {
    String call =
        "{'role': 'assistant', 'content': 'c', 'tool_calls': [{'function': {'name': 'f',"
            + " 'arguments': '{}'}}]}";
    String record =
        "{'prompt': 'a', 'chosen': [%s, {'role': 'tool', 'content': '4'}, {'role': 'assistant', 'content': '4'}], 'rejected': '5'}"
            .formatted(call);
    AnswerPair pair = PairRecords.parse(record.replace('\'', '"'), "x");
    assertThat(pair.asked()).isEqualTo(1);
    assertThat(pair.chosen().messages()).hasSize(4);
    assertThat(pair.rejected().messages()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'prompt': 'a', 'chosen': 'b'} | no answer 'rejected'",
        "{'prompt': 'a', 'chosen': 'b', 'rejected': 'b'} | the same answer twice",
        "{'prompt': 'a', 'chosen': 'b', 'rejected': ' '} | an empty answer",
        "{'chosen': 'b', 'rejected': 'c'} | no question before its answers",
        "{'system': 's', 'ask': 'a', 'chosen': 'b', 'rejected': 'c'} | no question before",
        "{'system': 's', 'prompt': {'a': 1}, 'chosen': 'b', 'rejected': 'c'} | 'prompt' that is no",
        "{'chosen': [{'role':'user','content':'a'},{'role':'assistant','content':'b'}],"
            + " 'rejected': [{'role':'user','content':'x'},{'role':'assistant','content':'c'}]}"
            + " | answers to different questions",
        "{'prompt': 'a', 'chosen': [{'role':'assistant','content':'b'},"
            + "{'role':'user','content':'x'},{'role':'assistant','content':'c'}],"
            + " 'rejected': 'd'} | somebody else than tools speaks",
        "{'prompt': 'a', 'chosen': {'role':'user','content':'b'},"
            + " 'rejected': {'role':'user','content':'c'}} | does not end with an answer",
        "{'messages': [], 'rejected_response': 'b'} | no 'messages' that end",
        "{'messages': 1, 'chosen': 'b', 'rejected': 'c'} | no array",
        "[1] | is no object",
        "{'prompt | not valid JSON",
      })
  void whatIsNoPairIsSaid(String record, String said) {
    assertThatThrownBy(() -> PairRecords.parse(record.replace('\'', '"'), "pairs.jsonl line 4"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("pairs.jsonl line 4")
        .hasMessageContaining(said.strip());
  }
}
