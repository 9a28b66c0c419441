//! What scopes have in common of which one is entered out of two.

/// Makes a scope of `$Alternative(a, b)`, which is entered by a function `begin`.
macro_rules! alternative {
    ($Alternative:ident) => {
        #[diagnostic::do_not_recommend]
        impl<A, B> $crate::bracket::Bracket for $Alternative<A, B>
        where
            A: $crate::bracket::Bracket + Send,
            B: $crate::bracket::Bracket<View = A::View> + Send,
        {
            type Held = $crate::raise::Or<A::Held, B::Held>;
            type View = A::View;
            type Error = $crate::compose::one_of::OneOf<A::Error, B::Error>;
            type Verdict = <A::Verdict as $crate::verdict::Verdict>::Or<B::Verdict>;
            type Tag = (A::Tag, B::Tag);

            const SUSPENDS: bool = A::SUSPENDS || B::SUSPENDS;

            fn tag(&self) -> Self::Tag {
                (self.0.tag(), self.1.tag())
            }

            fn name((a, b): &Self::Tag) -> std::borrow::Cow<'static, str> {
                format!("{} or {}", A::name(a), B::name(b)).into()
            }

            async fn begin(
                self,
                armed: $crate::armed::Armed<Self::Held>,
            ) -> Result<Self::Held, Self::Error> {
                let (a, b) = (self.0.begin(armed.inner()), self.1.begin(armed.inner()));
                begin(a, b, armed.location()).await
            }

            fn view(held: &mut Self::Held) -> &mut A::View {
                match held {
                    $crate::raise::Or::A(held) => A::view(held),
                    $crate::raise::Or::B(held) => B::view(held),
                }
            }

            fn entries(error: Self::Error) -> Vec<$crate::report::Entry> {
                use $crate::compose::one_of::OneOf;

                match error {
                    OneOf::First(error) => A::entries(error),
                    OneOf::Second(error) => B::entries(error),
                    OneOf::Both { first, second } => {
                        let mut entries = B::entries(second);
                        entries.extend(A::entries(first));
                        entries
                    }
                }
            }

            async fn end(
                held: Self::Held,
                outcome: $crate::outcome::Outcome<'_>,
            ) -> Result<Self::Verdict, Self::Error> {
                use $crate::compose::one_of::OneOf;
                use $crate::verdict::Verdict as _;

                let suppresses = match held {
                    $crate::raise::Or::A(held) => {
                        let verdict = A::end(held, outcome).await;
                        verdict.map_err(OneOf::First)?.suppresses()
                    }
                    $crate::raise::Or::B(held) => {
                        let verdict = B::end(held, outcome).await;
                        verdict.map_err(OneOf::Second)?.suppresses()
                    }
                };
                Ok(Self::Verdict::new(suppresses))
            }
        }

        impl<A, B> $crate::bracket::Peek for $Alternative<A, B>
        where
            A: $crate::bracket::Peek + Send,
            B: $crate::bracket::Peek + $crate::bracket::Bracket<View = A::View> + Send,
        {
            fn peek(held: &Self::Held) -> &A::View {
                match held {
                    $crate::raise::Or::A(held) => A::peek(held),
                    $crate::raise::Or::B(held) => B::peek(held),
                }
            }
        }

        impl<A, B> $crate::bracket::Member for $Alternative<A, B>
        where
            A: $crate::bracket::Member + Send,
            B: $crate::bracket::Member<View = A::View, Part = A::Part> + Send,
        {
            type Part = A::Part;
            type Rest = $crate::raise::Or<A::Rest, B::Rest>;

            fn part(held: Self::Held) -> (A::Part, Self::Rest) {
                match held {
                    $crate::raise::Or::A(held) => {
                        let (part, rest) = A::part(held);
                        (part, $crate::raise::Or::A(rest))
                    }
                    $crate::raise::Or::B(held) => {
                        let (part, rest) = B::part(held);
                        (part, $crate::raise::Or::B(rest))
                    }
                }
            }

            fn whole(part: A::Part, rest: Self::Rest) -> Self::Held {
                match rest {
                    $crate::raise::Or::A(rest) => $crate::raise::Or::A(A::whole(part, rest)),
                    $crate::raise::Or::B(rest) => $crate::raise::Or::B(B::whole(part, rest)),
                }
            }
        }
    };
}
pub(super) use alternative;
