// Quantised<Net>: the type of the same network computing on bytes where it can. Convolutions of a multiple of four
// input channels do, with the max pools and depthwise convolutions between them; they form the largest Int8 parts there
// are, so that a map is quantised once for all that read it. Everything else, above all the sums of residuals, stays in
// float32: first convolutions of three channels, PReLU, Linear, and depthwise convolutions with floats at one end, where
// bytes save nothing. `Keep` names parts (types) of Net that are to stay as they are.
#pragma once

#include <wajah/layers/concat.hpp>
#include <wajah/layers/conv2d_int8.hpp>
#include <wajah/layers/depthwise_conv2d_int8.hpp>
#include <wajah/layers/int8.hpp>
#include <wajah/layers/max_pool2d_int8.hpp>
#include <wajah/layers/per_image.hpp>
#include <wajah/layers/repeat.hpp>
#include <wajah/layers/repeat_int8.hpp>
#include <wajah/layers/residual.hpp>
#include <wajah/layers/scope.hpp>
#include <wajah/layers/sequential.hpp>

namespace wajah {
namespace detail {

template <class... Types>
struct List {};

template <class L, class Keeps>
inline constexpr bool is_kept = false;
template <class L, class... Keep>
inline constexpr bool is_kept<L, List<Keep...>> = (std::is_same_v<L, Keep> || ...);

// Bytes<L>: the form of L that reads and writes bytes. possible: whether it has one that starts and ends with
// convolutions. between: whether it has one that may stand between those.
template <class L, class Keeps>
struct Bytes {
  static constexpr bool possible = false, between = false;
};

template <Name N, int In, int Out, Window W, Pad P, class Act, class Keeps>
  requires(!is_kept<Conv2d<N, In, Out, W, P, Act>, Keeps> && In % 4 == 0 && Act::kind != ActivationKind::prelu)
struct Bytes<Conv2d<N, In, Out, W, P, Act>, Keeps> {
  static constexpr bool possible = true, between = true;
  using type = Conv2dInt8<N, In, Out, W, P, Act>;
};
template <Name N, int C, Window W, Pad P, class Act, class Keeps>
  requires(!is_kept<DepthwiseConv2d<N, C, W, P, Act>, Keeps> && Act::kind != ActivationKind::prelu)
struct Bytes<DepthwiseConv2d<N, C, W, P, Act>, Keeps> {
  static constexpr bool possible = false, between = true;
  using type = DepthwiseConv2dInt8<N, C, W, P, Act>;
};
template <Window W, Pad P, class Keeps>
struct Bytes<MaxPool2d<W, P>, Keeps> {
  static constexpr bool possible = false, between = true;
  using type = MaxPool2dInt8<W, P>;
};
template <Name Prefix, class Inner, class Keeps>
  requires(!is_kept<Scope<Prefix, Inner>, Keeps> && Bytes<Inner, Keeps>::between)
struct Bytes<Scope<Prefix, Inner>, Keeps> {
  static constexpr bool possible = Bytes<Inner, Keeps>::possible, between = true;
  using type = Scope<Prefix, typename Bytes<Inner, Keeps>::type>;
};
template <class First, class... Rest, class Keeps>
  requires(!is_kept<Sequential<First, Rest...>, Keeps> && Bytes<First, Keeps>::between &&
           (Bytes<Rest, Keeps>::between && ...))
struct Bytes<Sequential<First, Rest...>, Keeps> {
  using Last = std::tuple_element_t<sizeof...(Rest), std::tuple<First, Rest...>>;
  static constexpr bool possible = Bytes<First, Keeps>::possible && Bytes<Last, Keeps>::possible, between = possible;
  using type = Sequential<typename Bytes<First, Keeps>::type, typename Bytes<Rest, Keeps>::type...>;
};
template <class... Branches, class Keeps>
  requires(!is_kept<Concat<Branches...>, Keeps> && (Bytes<Branches, Keeps>::possible && ...))
struct Bytes<Concat<Branches...>, Keeps> {
  static constexpr bool possible = true, between = true;
  using type = Concat<typename Bytes<Branches, Keeps>::type...>;
};

template <class... Lists>
struct Chain;
template <class... A>
struct Chain<List<A...>> {
  using type = List<A...>;
};
template <class... A, class... B, class... Rest>
struct Chain<List<A...>, List<B...>, Rest...> : Chain<List<A..., B...>, Rest...> {};

// The layers of one Int8 part, if there are any, as the only element of a list.
template <template <class...> class Whole, class Keeps, class... Open>
struct Close {
  using type = List<Int8<Whole<typename Bytes<Open, Keeps>::type...>>>;
};
template <template <class...> class Whole, class Keeps, class One>
struct Close<Whole, Keeps, One> {
  using type = List<Int8<typename Bytes<One, Keeps>::type>>;
};
template <template <class...> class Whole, class Keeps>
struct Close<Whole, Keeps> {
  using type = List<>;
};

template <class L, class Keeps>
struct Convert {
  using type = L;
};

// Sorts the layers of a Whole (Sequential or Concat) into those that go into Int8 parts and others. Open: the layers
// of the part that is being collected. Pending: layers that belong to it only if another convolution follows.
template <template <class...> class Whole, class Keeps, class Done, class Open, class Pending, class... Left>
struct Group;

template <template <class...> class Whole, class... Layers>
Whole<Layers...> whole_of(List<Layers...>);

template <template <class...> class Whole, class Keeps, class Done, class... Open, class Pending>
struct Group<Whole, Keeps, Done, List<Open...>, Pending> {
  using Layers = typename Chain<Done, typename Close<Whole, Keeps, Open...>::type, Pending>::type;
  using type = decltype(whole_of<Whole>(Layers{}));
};
template <template <class...> class Whole, class Keeps, class Done, class... Open, class... Pending, class Next,
          class... Left>
struct Group<Whole, Keeps, Done, List<Open...>, List<Pending...>, Next, Left...> {
  static auto rest() {
    if constexpr (Bytes<Next, Keeps>::possible) {
      return Group<Whole, Keeps, Done, List<Open..., Pending..., Next>, List<>, Left...>{};
    } else if constexpr (std::is_same_v<Whole<Next>, Sequential<Next>> && sizeof...(Open) > 0 &&
                         Bytes<Next, Keeps>::between) {
      return Group<Whole, Keeps, Done, List<Open...>, List<Pending..., Next>, Left...>{};
    } else {
      using Closed = typename Chain<Done, typename Close<Whole, Keeps, Open...>::type, List<Pending...>,
                                    List<typename Convert<Next, Keeps>::type>>::type;
      return Group<Whole, Keeps, Closed, List<>, List<>, Left...>{};
    }
  }
  using type = typename decltype(rest())::type;
};

// A layer that has a form in bytes is an Int8 part by itself; of others, the layers they are made of are converted.
template <class L, class Keeps>
concept Divided = !is_kept<L, Keeps> && !Bytes<L, Keeps>::possible;

template <class L, class Keeps>
  requires(Bytes<L, Keeps>::possible)
struct Convert<L, Keeps> {
  using type = Int8<typename Bytes<L, Keeps>::type>;
};
template <class... Layers, class Keeps>
  requires Divided<Sequential<Layers...>, Keeps>
struct Convert<Sequential<Layers...>, Keeps> : Group<Sequential, Keeps, List<>, List<>, List<>, Layers...> {};
template <class... Layers, class Keeps>
  requires Divided<PerImage<Layers...>, Keeps>
struct Convert<PerImage<Layers...>, Keeps> {
  using type = PerImage<typename Convert<Sequential<Layers...>, Keeps>::type>;
};
template <class... Layers, class Keeps>
  requires Divided<PerImageOnCpu<Layers...>, Keeps>
struct Convert<PerImageOnCpu<Layers...>, Keeps> {
  using type = PerImageOnCpu<typename Convert<Sequential<Layers...>, Keeps>::type>;
};
template <class... Branches, class Keeps>
  requires Divided<Concat<Branches...>, Keeps>
struct Convert<Concat<Branches...>, Keeps> : Group<Concat, Keeps, List<>, List<>, List<>, Branches...> {};
template <Name Prefix, class Inner, class Keeps>
  requires Divided<Scope<Prefix, Inner>, Keeps>
struct Convert<Scope<Prefix, Inner>, Keeps> {
  using type = Scope<Prefix, typename Convert<Inner, Keeps>::type>;
};
template <class Body, class Scale, class Keeps>
  requires Divided<Residual<Body, Scale>, Keeps>
struct Convert<Residual<Body, Scale>, Keeps> {
  using type = Residual<typename Convert<Body, Keeps>::type, Scale>;
};
template <int Count, Name Prefix, class Block, class Keeps>
  requires Divided<Repeat<Count, Prefix, Block>, Keeps>
struct Convert<Repeat<Count, Prefix, Block>, Keeps> {
  using type = Repeat<Count, Prefix, typename Convert<Block, Keeps>::type>;
};
template <int Count, Name Prefix, class Body, class Scale, class Keeps>
  requires(Divided<Repeat<Count, Prefix, Residual<Body, Scale>>, Keeps> && Divided<Residual<Body, Scale>, Keeps> &&
           Bytes<Body, Keeps>::possible)
struct Convert<Repeat<Count, Prefix, Residual<Body, Scale>>, Keeps> {
  using type = RepeatInt8<Count, Prefix, typename Bytes<Body, Keeps>::type, Scale>;
};

}  // namespace detail

template <class Net, class... Keep>
using Quantised = typename detail::Convert<Net, detail::List<Keep...>>::type;

}  // namespace wajah
