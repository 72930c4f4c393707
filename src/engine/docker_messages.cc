// The part of Reconciler that hears what Docker says.
#include <utility>

#include "engine/reconciler.h"
#include "swarmgate/base/log.h"

namespace swarmgate::engine {

void Reconciler::NoteDocker(bool ok, std::string detail) {
  const bool changed = shown_.docker.ok != ok || !docker_tried_;
  const bool another_detail = shown_.docker.detail != detail;
  docker_health_.TakeList(ok, detail, clock_.Now());
  SetPartner(shown_.docker, ok, std::move(detail), clock_.WallNow());
  // What was found at start may be complete now, or wait for another reason.
  if (!docker_tried_ || (!started_ && another_detail)) dirty_ = true;
  docker_tried_ = true;
  if (changed && ports_.docker_answers) ports_.docker_answers(ok);
  if (changed || another_detail) PublishPartners();
}

void Reconciler::On(DockerConnected) {
  if (docker_connected_once_) {
    ++counters_.docker_reconnects;
    PublishPartners();
  }
  docker_connected_once_ = true;
  docker_health_.StreamOpened(clock_.Now());
  desk_.WantList();
}

// That the stream has ended does not say that Docker is lost: a list tells.
void Reconciler::On(DockerLost message) {
  docker_health_.StreamEnded(message.error, clock_.Now());
  desk_.WantList();
}

// Could this container be of concern? Health probes, `docker exec` and foreign containers would
// otherwise cost a list each.
bool Reconciler::IsIrrelevant(const ports::DockerEvent& event) const {
  // A Swarm's tasks are reached by the addresses that they are listed with.
  if (event.type == "network") return task_containers_.Has(event.container_id);
  if (event.type != "container") return false;
  const std::string verb = event.action.substr(0, event.action.find(':'));
  if (verb.starts_with("exec_") || verb == "top" || verb == "attach" || verb == "resize" ||
      verb == "create" || verb == "archive-path" || verb == "extract-to-dir") {
    return true;
  }
  // A task of a service that is not listed: were it new, the service's own event would tell.
  if (!event.service_id.empty()) return facts_.FindById(event.service_id) == nullptr;
  const bool ends = verb == "kill" || verb == "die" || verb == "stop" || verb == "oom" ||
                    verb == "destroy" || verb == "pause" || verb == "unpause";
  return ends && !facts_.HasContainer(event.id) && facts_.FindById(event.id) == nullptr;
}

void Reconciler::On(DockerHint message) {
  const ports::DockerEvent& event = message.event;
  task_containers_.Take(event);
  TakeNews(facts_.TakeEvent(event, clock_.Now()));
  if (IsIrrelevant(event)) return;
  if (!hint_at_) hint_at_ = clock_.Now();
  if (event.type == "container" && !event.service_id.empty()) {
    desk_.WantTasks({event.service_id});
    desk_.QuickenPolls();
    if (event.action == "start" || event.action == "health_status: healthy") {
      sources_.LookAt(event.id, event.service_id);
      desk_.SprintPolls(event.service_id);
    }
    return;
  }
  if (event.type == "service" && !event.id.empty()) {
    desk_.WantServices({event.id});
    desk_.Follow({event.id});
    return;
  }
  if (event.type == "node") desk_.FollowAll();
  desk_.WantList();
}

void Reconciler::TakeNews(const FactsKeeper::News& news) {
  for (const FactsKeeper::Note& note : news.notes) {
    LogFields fields;
    if (!note.service.empty()) fields.emplace_back("service", note.service);
    LogEvent(LogLevel::kWarning, note.id, note.text, std::move(fields));
  }
  if (news.list_again_in) desk_.WantListIn(*news.list_again_in);
  desk_.WantServices(news.ask_again);
  if (!news.changed) return;
  desk_.QuickenPolls();
  if (news.others) desk_.SetAllIds(facts_.SwarmIds());
  dirty_ = true;
}

void Reconciler::On(DockerListed message) {
  desk_.ListDone(message.facts.has_value());
  if (!message.facts) {
    NoteDocker(false, message.facts.error().ToString());
    AnswerListWaiters(message.generation, &message.facts.error());
    return;
  }
  const bool first = facts_.host().daemon_id.empty();
  TakeNews(facts_.TakeList(std::move(*message.facts), clock_.Now()));
  if (first || assembler_.TemplatesChanged()) dirty_ = true;
  docker_listed_ = true;
  listed_generation_ = message.generation;
  if (!obsolete_.empty()) dirty_ = true;
  // Where the list says what is known from an earlier run, nothing else would tell.
  if (!facts_told_) TellFacts({});
  NoteDocker(true, "API " + facts_.host().api_version);
  if (!started_) dirty_ = true;
  if (!dirty_ && desk_.idle()) hint_at_.reset();
  AnswerListWaiters(message.generation, nullptr);
}

void Reconciler::On(ServicesListed message) {
  desk_.ServicesDone(message.services.has_value());
  if (!message.services) return;  // the full list tells whether Docker is lost
  TakeNews(facts_.TakeServices(message.ids, *std::move(message.services), clock_.Now()));
  if (!dirty_ && desk_.idle()) hint_at_.reset();
}

void Reconciler::On(TasksListed message) {
  desk_.TasksDone(message.tasks.has_value());
  if (!message.tasks) return;  // the full list tells whether Docker is lost
  TakeNews(facts_.TakeTasks(*message.tasks, clock_.Now()));
  if (!dirty_ && desk_.idle()) hint_at_.reset();
}

void Reconciler::On(ContainerSeen message) {
  // An error is nothing: the lists of tasks tell, a little later.
  if (!message.task || !*message.task) return;
  TakeNews(facts_.TakeStarted(message.service_id, **message.task));
}

}  // namespace swarmgate::engine
