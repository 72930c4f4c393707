// Sequences whose copies share what they have in common, so that a copy costs next to nothing, a
// change costs one chunk, and the difference of two of them costs what differs.
//
// Values like std::vector and std::map: a copy never changes with its original. Elements live in
// chunks of some dozen; a chunk that more than one sequence may hold is never written. Reading one
// object by several threads is safe, as with those of std.
#pragma once

#include <algorithm>
#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace swarmgate {

namespace detail {
/// Unique in this process, never 0.
inline std::uint64_t NextChunkOwner() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}
}  // namespace detail

template <typename T>
class Chunked {
 public:
  /// A chunk that would grow beyond this is split; one that shrinks to an eighth takes in the next
  /// one where both fit.
  static constexpr std::size_t kMostInChunk = 64;

  using value_type = T;
  using const_reference = const T&;
  using reference = const T&;
  using size_type = std::size_t;

  class const_iterator {  // NOLINT(readability-identifier-naming): as those of std
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    const_iterator() = default;
    reference operator*() const { return owner_->chunks_[chunk_]->items[offset_]; }
    pointer operator->() const { return &**this; }
    const_iterator& operator++() {
      if (++offset_ == owner_->chunks_[chunk_]->items.size()) {
        ++chunk_;
        offset_ = 0;
      }
      return *this;
    }
    const_iterator operator++(int) {
      const_iterator before = *this;
      ++*this;
      return before;
    }
    const_iterator& operator--() {
      if (offset_ == 0) offset_ = owner_->chunks_[--chunk_]->items.size();
      --offset_;
      return *this;
    }
    const_iterator operator--(int) {
      const_iterator before = *this;
      --*this;
      return before;
    }
    friend bool operator==(const const_iterator& a, const const_iterator& b) {
      return a.chunk_ == b.chunk_ && a.offset_ == b.offset_;
    }

   private:
    friend class Chunked;
    const_iterator(const Chunked* owner, std::size_t chunk, std::size_t offset)
        : owner_(owner), chunk_(chunk), offset_(offset) {}
    const Chunked* owner_ = nullptr;
    std::size_t chunk_ = 0;
    std::size_t offset_ = 0;
  };
  using iterator = const_iterator;

  Chunked() = default;
  Chunked(std::initializer_list<T> items) : Chunked(std::vector<T>(items)) {}
  Chunked(std::vector<T> items) {  // NOLINT(google-explicit-constructor): the same value
    for (T& item : items) push_back(std::move(item));
  }
  template <typename Iterator>
  Chunked(Iterator begin, Iterator end) {
    for (; begin != end; ++begin) push_back(*begin);
  }
  Chunked(const Chunked& other) : chunks_(other.chunks_), size_(other.size_) { other.Share(); }
  Chunked(Chunked&& other) noexcept
      : chunks_(std::move(other.chunks_)),
        size_(std::exchange(other.size_, 0)),
        owner_(other.owner_.exchange(0, std::memory_order_relaxed)) {
    other.chunks_.clear();
  }
  Chunked& operator=(const Chunked& other) {
    if (this == &other) return *this;
    other.Share();
    chunks_ = other.chunks_;
    size_ = other.size_;
    Share();
    return *this;
  }
  Chunked& operator=(Chunked&& other) noexcept {
    if (this == &other) return *this;
    chunks_ = std::move(other.chunks_);
    other.chunks_.clear();
    size_ = std::exchange(other.size_, 0);
    owner_.store(other.owner_.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
    return *this;
  }
  ~Chunked() = default;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const_iterator begin() const { return {this, 0, 0}; }
  [[nodiscard]] const_iterator end() const { return {this, chunks_.size(), 0}; }
  /// REQUIRES: not empty.
  [[nodiscard]] const T& front() const { return chunks_.front()->items.front(); }
  [[nodiscard]] const T& back() const { return chunks_.back()->items.back(); }
  /// Walks over the chunks. REQUIRES: index < size().
  [[nodiscard]] const T& operator[](std::size_t index) const { return *At(index); }
  /// To be changed, as Edit.
  [[nodiscard]] T& operator[](std::size_t index) { return Edit(At(index)); }
  [[nodiscard]] T& front() { return Edit(begin()); }
  [[nodiscard]] T& back() { return Edit(std::prev(end())); }
  [[nodiscard]] const_iterator At(std::size_t index) const {
    std::size_t chunk = 0;
    while (index >= chunks_[chunk]->items.size()) index -= chunks_[chunk++]->items.size();
    return {this, chunk, index};
  }

  /// The first element for which `before(element)` is false. REQUIRES: it is true for those in
  /// front, and false for all others.
  template <typename Before>
  [[nodiscard]] const_iterator PartitionPoint(Before before) const {
    const auto chunk = std::partition_point(
        chunks_.begin(), chunks_.end(),
        [&before](const std::shared_ptr<Chunk>& held) { return before(held->items.back()); });
    if (chunk == chunks_.end()) return end();
    const std::vector<T>& items = (*chunk)->items;
    const auto item = std::partition_point(items.begin(), items.end(), before);
    return {this, static_cast<std::size_t>(chunk - chunks_.begin()),
            static_cast<std::size_t>(item - items.begin())};
  }

  void clear() {
    chunks_.clear();
    size_ = 0;
  }
  void push_back(T item) {
    if (chunks_.empty() || chunks_.back()->items.size() >= kMostInChunk) {
      chunks_.push_back(std::make_shared<Chunk>(Owner()));
    }
    Own(chunks_.size() - 1).push_back(std::move(item));
    ++size_;
  }
  /// In front of `at`. Ends the validity of all iterators, as all changes do; returns the item's.
  const_iterator insert(const_iterator at, T item) {
    if (at == end()) {
      push_back(std::move(item));
      return {this, chunks_.size() - 1, chunks_.back()->items.size() - 1};
    }
    // Before, not after: a vector that grows beyond its most would double its capacity for that.
    if (Own(at.chunk_).size() >= kMostInChunk) at = Split(at);
    std::vector<T>& items = Own(at.chunk_);
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(at.offset_), std::move(item));
    ++size_;
    return {this, at.chunk_, at.offset_};
  }
  /// Returns the place behind it.
  const_iterator erase(const_iterator at) {
    std::vector<T>& items = Own(at.chunk_);
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(at.offset_));
    --size_;
    return Tidy(at);
  }
  /// The element, to be changed. References to elements of this chunk may go stale.
  [[nodiscard]] T& Edit(const_iterator at) { return Own(at.chunk_)[at.offset_]; }

  template <typename Less>
  void Sort(Less less) {
    std::vector<T> items = ToVector();
    std::sort(items.begin(), items.end(), less);
    *this = Chunked(std::move(items));
  }
  [[nodiscard]] std::vector<T> ToVector() const { return std::vector<T>(begin(), end()); }

  friend bool operator==(const Chunked& a, const Chunked& b) {
    if (a.size_ != b.size_) return false;
    Pair pair(a, b);
    while (!pair.Done()) {
      if (pair.SkipShared()) continue;
      if (!(*pair.a == *pair.b)) return false;
      ++pair.a;
      ++pair.b;
    }
    return true;
  }

  /// Both sorted by `less` without repetition: calls `removed(x)` for what only `a` has, `added(y)`
  /// for what only `b` has, `changed(x, y)` for what stands in both and is not equal; in order.
  template <typename Less, typename Removed, typename Added, typename Changed>
  static void Diff(const Chunked& a, const Chunked& b, Less less, Removed removed, Added added,
                   Changed changed) {
    Pair pair(a, b);
    while (!pair.Done()) {
      if (pair.SkipShared()) continue;
      const bool a_ends = pair.a == a.end();
      const bool b_ends = pair.b == b.end();
      if (b_ends || (!a_ends && less(*pair.a, *pair.b))) {
        removed(*pair.a++);
      } else if (a_ends || less(*pair.b, *pair.a)) {
        added(*pair.b++);
      } else {
        if (!(*pair.a == *pair.b)) changed(*pair.a, *pair.b);
        ++pair.a;
        ++pair.b;
      }
    }
  }

 private:
  struct Chunk {
    explicit Chunk(std::uint64_t by) : owner(by) {}
    Chunk(std::uint64_t by, std::vector<T> content) : owner(by), items(std::move(content)) {}
    std::uint64_t owner;  ///< the only sequence that may write here
    std::vector<T> items;
  };

  /// Walks through two sequences at once.
  struct Pair {
    Pair(const Chunked& left, const Chunked& right) : a(left.begin()), b(right.begin()) {}
    [[nodiscard]] bool Done() const { return a == a.owner_->end() && b == b.owner_->end(); }
    /// At the beginning of a chunk that both hold?
    bool SkipShared() {
      if (a.offset_ != 0 || b.offset_ != 0) return false;
      const auto& left = a.owner_->chunks_;
      const auto& right = b.owner_->chunks_;
      if (a.chunk_ == left.size() || b.chunk_ == right.size()) return false;
      if (left[a.chunk_] != right[b.chunk_]) return false;
      ++a.chunk_;
      ++b.chunk_;
      return true;
    }
    const_iterator a;
    const_iterator b;
  };

  /// Nothing that is here now may be written in place any more.
  void Share() const {
    if (owner_.load(std::memory_order_relaxed) != 0) owner_.store(0, std::memory_order_relaxed);
  }
  std::uint64_t Owner() {
    std::uint64_t owner = owner_.load(std::memory_order_relaxed);
    if (owner == 0) {
      owner = detail::NextChunkOwner();
      owner_.store(owner, std::memory_order_relaxed);
    }
    return owner;
  }
  std::vector<T>& Own(std::size_t index) {
    const std::uint64_t owner = Owner();
    std::shared_ptr<Chunk>& chunk = chunks_[index];
    if (chunk->owner != owner) chunk = std::make_shared<Chunk>(owner, chunk->items);
    return chunk->items;
  }

  const_iterator Split(const_iterator at) {
    std::vector<T>& items = chunks_[at.chunk_]->items;
    const std::size_t half = items.size() / 2;
    const auto middle = items.begin() + static_cast<std::ptrdiff_t>(half);
    std::vector<T> rest(std::make_move_iterator(middle), std::make_move_iterator(items.end()));
    items.erase(middle, items.end());
    // Where all that follows goes behind it, as in order, it stays half full.
    items.shrink_to_fit();
    chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(at.chunk_) + 1,
                   std::make_shared<Chunk>(Owner(), std::move(rest)));
    if (at.offset_ < half) return {this, at.chunk_, at.offset_};
    return {this, at.chunk_ + 1, at.offset_ - half};
  }

  /// After an element has gone from here.
  const_iterator Tidy(const_iterator at) {
    const std::size_t left = chunks_[at.chunk_]->items.size();
    const auto place = [this](std::size_t chunk) {
      return chunks_.begin() + static_cast<std::ptrdiff_t>(chunk);
    };
    if (left == 0) {
      chunks_.erase(place(at.chunk_));
      return {this, at.chunk_, 0};
    }
    const bool joins = left <= kMostInChunk / 8 && at.chunk_ + 1 < chunks_.size() &&
                       left + chunks_[at.chunk_ + 1]->items.size() <= kMostInChunk;
    if (joins) {
      std::vector<T>& items = Own(at.chunk_);
      const std::vector<T>& next = chunks_[at.chunk_ + 1]->items;
      items.insert(items.end(), next.begin(), next.end());
      chunks_.erase(place(at.chunk_ + 1));
    }
    if (at.offset_ == chunks_[at.chunk_]->items.size()) return {this, at.chunk_ + 1, 0};
    return {this, at.chunk_, at.offset_};
  }

  std::vector<std::shared_ptr<Chunk>> chunks_;  ///< none is empty
  std::size_t size_ = 0;
  /// 0: of none of the chunks. Copying takes the right to write from the original, too.
  mutable std::atomic<std::uint64_t> owner_{0};
};

/// A sorted map made of such a sequence.
template <typename K, typename V>
class SharedMap {
 public:
  using key_type = K;
  using mapped_type = V;
  using value_type = std::pair<K, V>;
  using Items = Chunked<value_type>;
  using const_iterator = typename Items::const_iterator;
  using iterator = const_iterator;

  SharedMap() = default;
  SharedMap(std::initializer_list<value_type> items) : SharedMap(items.begin(), items.end()) {}
  template <typename Iterator>
  SharedMap(Iterator begin, Iterator end) {
    for (; begin != end; ++begin) emplace(begin->first, begin->second);
  }

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] const_iterator begin() const { return items_.begin(); }
  [[nodiscard]] const_iterator end() const { return items_.end(); }
  [[nodiscard]] const_iterator lower_bound(const K& key) const {
    return items_.PartitionPoint([&key](const value_type& item) { return item.first < key; });
  }
  [[nodiscard]] const_iterator find(const K& key) const {
    const const_iterator at = lower_bound(key);
    return at != end() && at->first == key ? at : end();
  }
  [[nodiscard]] bool contains(const K& key) const { return find(key) != end(); }
  [[nodiscard]] std::size_t count(const K& key) const { return contains(key) ? 1 : 0; }
  /// REQUIRES: contains(key).
  [[nodiscard]] const V& at(const K& key) const { return find(key)->second; }

  void clear() { items_.clear(); }
  /// Changes nothing when the key is there.
  bool emplace(K key, V value) {
    // Nearly always in order.
    const bool last = items_.empty() || std::prev(items_.end())->first < key;
    const const_iterator at = last ? end() : lower_bound(key);
    if (at != end() && at->first == key) return false;
    items_.insert(at, value_type(std::move(key), std::move(value)));
    return true;
  }
  void insert_or_assign(K key, V value) {
    const const_iterator at = lower_bound(key);
    if (at != end() && at->first == key) {
      // A chunk is copied for a change only.
      if (!(at->second == value)) items_.Edit(at).second = std::move(value);
    } else {
      items_.insert(at, value_type(std::move(key), std::move(value)));
    }
  }
  /// The value, to be changed; made when it is not there.
  [[nodiscard]] V& operator[](const K& key) {
    const_iterator at = lower_bound(key);
    if (at == end() || !(at->first == key)) at = items_.insert(at, value_type(key, V()));
    return items_.Edit(at).second;
  }
  std::size_t erase(const K& key) {
    const const_iterator at = find(key);
    if (at == end()) return 0;
    items_.erase(at);
    return 1;
  }
  const_iterator erase(const_iterator at) { return items_.erase(at); }
  template <typename Predicate>
  void EraseIf(Predicate predicate) {
    for (const_iterator at = begin(); at != end();) at = predicate(*at) ? erase(at) : std::next(at);
  }
  /// The value there, to be changed.
  [[nodiscard]] V& Edit(const_iterator at) { return items_.Edit(at).second; }

  friend bool operator==(const SharedMap& a, const SharedMap& b) { return a.items_ == b.items_; }

  /// As Chunked::Diff.
  template <typename Removed, typename Added, typename Changed>
  static void Diff(const SharedMap& a, const SharedMap& b, Removed removed, Added added,
                   Changed changed) {
    const auto less = [](const value_type& x, const value_type& y) { return x.first < y.first; };
    Items::Diff(a.items_, b.items_, less, removed, added, changed);
  }

 private:
  Items items_;
};

}  // namespace swarmgate
